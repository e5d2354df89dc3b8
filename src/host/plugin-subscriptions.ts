import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { topicMatcher } from '../plugin/topic-pattern.js';
import type { BusEvent } from '../services/bus-event.js';
import { type EventBus, parseTopicPattern } from '../services/event-bus.js';
import type { Worker } from '../worker/worker.js';

/** What the subscriptions of a plugin are made of. */
export interface PluginSubscriptionsOptions {
  readonly pluginId: string;
  readonly bus: EventBus;
  readonly maxSubscriptions: number;
  /** Milliseconds since the epoch: grants expire by themselves. */
  wallTime(): number;
  currentWorker(): Worker | undefined;
  /** Whether the plugin may still subscribe to the pattern. */
  isGranted(pattern: string): boolean;
  /** A subscription was ended because no grant covers it any more. */
  onRevoked(pattern: string): void;
}

/**
 * The subscriptions of one plugin. They belong to the host: a worker that is replaced or restarted finds them bound, and learns how many events
 * it missed meanwhile. However many of its patterns match, an event is delivered once; the worker hands it to all handlers that want it.
 */
export class PluginSubscriptions {
  readonly #options: PluginSubscriptionsOptions;
  readonly #matchers = new Map<string, (topic: string) => boolean>();
  #detach: (() => void) | undefined;
  #missed = 0;
  /** What {@link PluginSubscriptions.#mayHave} said last, and when: only a revoke changes it within a millisecond. */
  #judged: { readonly topic: string; readonly at: number; readonly mayHave: boolean } | undefined;
  #waiters: (() => void)[] = [];

  constructor(options: PluginSubscriptionsOptions) {
    this.#options = options;
  }

  get patterns(): readonly string[] {
    return [...this.#matchers.keys()];
  }

  /** Idempotent by pattern. @throws OVERLOADED over the limit, INVALID_ARGUMENT for what is no pattern, HOST_STOPPED. */
  add(pattern: string): void {
    const { bus, pluginId, maxSubscriptions } = this.#options;
    const parsed = parseTopicPattern(pattern);
    if (this.#matchers.has(parsed)) return;
    if (this.#matchers.size >= maxSubscriptions) {
      throw new WorkerRuntimeError(
        'OVERLOADED',
        `A plugin may have ${maxSubscriptions} subscriptions (limits.maxSubscriptions); use a wider pattern.`,
      );
    }
    this.#detach ??= bus.attach(
      (topic) => this.#matches(topic),
      pluginId,
      (event) => this.#deliver(event),
    );
    this.#matchers.set(parsed, topicMatcher(parsed));
    this.#judged = undefined;
  }

  remove(pattern: string): void {
    this.#judged = undefined;
    if (!this.#matchers.delete(pattern) || this.#matchers.size > 0) return;
    this.#detach?.();
    this.#detach = undefined;
    this.#missed = 0;
  }

  /** Ends those that no grant covers any more. */
  prune(): void {
    this.#judged = undefined;
    for (const pattern of this.patterns) {
      if (this.#options.isGranted(pattern)) continue;
      this.remove(pattern);
      this.#options.onRevoked(pattern);
    }
    this.wake();
  }

  /** The worker takes one-way messages again, or is gone: whoever waits looks anew. */
  wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  close(): void {
    for (const pattern of this.patterns) this.remove(pattern);
    this.wake();
  }

  #matches(topic: string): boolean {
    for (const matches of this.#matchers.values()) if (matches(topic)) return true;
    return false;
  }

  /** Whether the event is still wanted and granted: since it was queued both may have changed, and grants expire by themselves. */
  #mayHave(topic: string): boolean {
    const at = this.#options.wallTime();
    if (this.#judged?.topic === topic && this.#judged.at === at) return this.#judged.mayHave;
    let mayHave = false;
    for (const [pattern, matches] of [...this.#matchers]) {
      if (!matches(topic)) continue;
      if (this.#options.isGranted(pattern)) mayHave = true;
      else {
        this.remove(pattern);
        this.#options.onRevoked(pattern);
      }
    }
    this.#judged = { topic, at, mayHave };
    return mayHave;
  }

  #deliver(event: BusEvent): Promise<void> | undefined {
    const missed = this.#missed + (event.missed ?? 0);
    // Lost, unless it turns out otherwise.
    this.#missed = missed + 1;
    const params = missed === 0 ? event : { ...event, missed };
    return this.#tryDelivery(params, missed) ? undefined : this.#keepTrying(params, missed);
  }

  async #keepTrying(params: BusEvent, missed: number): Promise<void> {
    do {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    } while (!this.#tryDelivery(params, missed));
  }

  /** @returns false if the worker takes no more at present. */
  #tryDelivery(params: BusEvent, missed: number): boolean {
    if (!this.#mayHave(params.topic)) {
      this.#missed = this.#matchers.size === 0 ? 0 : missed;
      return true;
    }
    const worker = this.#options.currentWorker();
    // Events are delivered at most once: without a worker they are only counted.
    if (worker?.state !== 'ready') return true;
    if (!worker.session.notify('events.deliver', params)) return false;
    this.#missed = 0;
    return true;
  }
}
