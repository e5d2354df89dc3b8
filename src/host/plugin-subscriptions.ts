import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { BusEvent, EventBus } from '../services/event-bus.js';
import type { Worker } from '../worker/worker.js';

/**
 * The subscriptions of one plugin. They belong to the host: a worker that is replaced or restarted finds them bound, and
 * learns how many events it missed meanwhile.
 */
export class PluginSubscriptions {
  readonly #bus: EventBus;
  readonly #currentWorker: () => Worker | undefined;
  readonly #maxSubscriptions: number;
  readonly #unsubscribe = new Map<string, () => void>();
  #creditWaiters: (() => void)[] = [];

  constructor(bus: EventBus, currentWorker: () => Worker | undefined, maxSubscriptions: number) {
    this.#bus = bus;
    this.#currentWorker = currentWorker;
    this.#maxSubscriptions = maxSubscriptions;
  }

  get patterns(): readonly string[] {
    return [...this.#unsubscribe.keys()];
  }

  /** Idempotent by pattern. @throws OVERLOADED over the limit, INVALID_ARGUMENT for what is no pattern. */
  add(pattern: string): void {
    if (this.#unsubscribe.has(pattern)) return;
    if (this.#unsubscribe.size >= this.#maxSubscriptions) {
      throw new WorkerRuntimeError('OVERLOADED', `A plugin may have ${this.#maxSubscriptions} subscriptions; use a wider pattern.`);
    }
    let missedMeanwhile = 0;
    const deliver = async (event: BusEvent): Promise<void> => {
      const missed = (event.missed ?? 0) + missedMeanwhile;
      const sent = await this.#send(missed === 0 ? event : { ...event, missed });
      missedMeanwhile = sent ? 0 : missed + 1;
    };
    this.#unsubscribe.set(pattern, this.#bus.subscribe(pattern, deliver));
  }

  remove(pattern: string): void {
    this.#unsubscribe.get(pattern)?.();
    this.#unsubscribe.delete(pattern);
  }

  /** The worker takes one-way messages again, or is gone: whoever waits looks anew. */
  wake(): void {
    const waiters = this.#creditWaiters;
    this.#creditWaiters = [];
    for (const resolve of waiters) resolve();
  }

  close(): void {
    for (const pattern of [...this.#unsubscribe.keys()]) this.remove(pattern);
    this.wake();
  }

  /** @returns false if there is no worker to send it to: events are delivered at most once. */
  async #send(event: BusEvent): Promise<boolean> {
    for (;;) {
      const worker = this.#currentWorker();
      if (worker?.state !== 'ready') return false;
      if (worker.session.notify('events.deliver', { ...event })) return true;
      await new Promise<void>((resolve) => this.#creditWaiters.push(resolve));
    }
  }
}
