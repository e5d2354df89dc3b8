import type { EventHandler, PluginContext, PluginEvent, PluginLog } from './context.js';
import { topicMatcher } from './topic-pattern.js';

/** An event on its way to one handler. */
interface Delivery {
  readonly event: PluginEvent;
  done(): void;
}

/** A handler and the pattern that it listens to. */
export interface Subscription {
  readonly pattern: string;
}

interface OpenSubscription extends Subscription {
  readonly matches: (topic: string) => boolean;
  readonly handler: EventHandler;
  readonly waiting: Delivery[];
  working: boolean;
}

/** What the subscriptions of a plugin need. */
export interface EventSubscriptionsOptions {
  readonly log: PluginLog;
  /** What the handlers are given. */
  context(): PluginContext;
}

/**
 * The event handlers of a plugin. Each handles its events one after the other, so that their order is kept and at most one runs per
 * subscription; what waits is bounded by the credit of the host, since an event counts as consumed only when its handlers have ended.
 */
export class EventSubscriptions {
  readonly #options: EventSubscriptionsOptions;
  readonly #open = new Set<OpenSubscription>();
  #working = 0;
  #idleWaiters: (() => void)[] = [];

  constructor(options: EventSubscriptionsOptions) {
    this.#options = options;
  }

  /** The patterns that are listened to, each once. */
  get patterns(): readonly string[] {
    return [...new Set([...this.#open].map(({ pattern }) => pattern))];
  }

  /** Adds a handler. The host is not told. */
  add(pattern: string, handler: EventHandler): Subscription {
    const subscription: OpenSubscription = { pattern, matches: topicMatcher(pattern), handler, waiting: [], working: false };
    this.#open.add(subscription);
    return subscription;
  }

  /** Removes a handler; what waits for it is dropped. @returns whether it was the last one of its pattern. */
  remove(subscription: Subscription): boolean {
    const open = [...this.#open].find((candidate) => candidate === subscription);
    if (open === undefined) return false;
    this.#open.delete(open);
    for (const { done } of open.waiting.splice(0)) done();
    return [...this.#open].every(({ pattern }) => pattern !== open.pattern);
  }

  /** Hands an event to every handler whose pattern matches. @returns a promise of the end of all, or undefined if there is none. */
  deliver(event: PluginEvent): Promise<void> | undefined {
    let waits: Promise<void>[] | undefined;
    // A copy: a handler may subscribe and unsubscribe.
    for (const subscription of [...this.#open]) {
      if (!subscription.matches(event.topic)) continue;
      const wait = this.#hand(subscription, event);
      if (wait === undefined) continue;
      waits ??= [];
      waits.push(wait);
    }
    if (waits === undefined || waits.length === 1) return waits?.[0];
    return Promise.all(waits).then(() => {});
  }

  /** Resolves when no handler runs. */
  idle(): Promise<void> {
    return this.#working === 0 ? Promise.resolve() : new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Takes no more events and drops what waits. */
  close(): void {
    for (const subscription of [...this.#open]) this.remove(subscription);
  }

  /** Has a handler take an event, at once if it is free. @returns a promise that never rejects, if it does not end at once. */
  #hand(subscription: OpenSubscription, event: PluginEvent): Promise<void> | undefined {
    if (subscription.working) return new Promise((done) => subscription.waiting.push({ event, done }));
    subscription.working = true;
    this.#working += 1;
    const handled = this.#handle(subscription, event);
    if (handled === undefined && subscription.waiting.length === 0) {
      this.#rest(subscription);
      return undefined;
    }
    const ended = Promise.resolve(handled);
    void ended.then(() => this.#work(subscription));
    return ended;
  }

  /** What has come in the meantime. */
  async #work(subscription: OpenSubscription): Promise<void> {
    for (let next = subscription.waiting.shift(); next !== undefined; next = subscription.waiting.shift()) {
      await this.#handle(subscription, next.event);
      next.done();
    }
    this.#rest(subscription);
  }

  /** Never throws. @returns a promise that never rejects, if the handler does not end at once. */
  #handle(subscription: OpenSubscription, event: PluginEvent): Promise<void> | undefined {
    const fail = (error: unknown): void =>
      this.#options.log.error(
        { err: error, topic: event.topic, pattern: subscription.pattern },
        `The handler of the events "${subscription.pattern}" failed.`,
      );
    try {
      const outcome: unknown = subscription.handler(event, this.#options.context());
      return outcome === undefined ? undefined : Promise.resolve(outcome).then(() => {}, fail);
    } catch (error) {
      fail(error);
      return undefined;
    }
  }

  #rest(subscription: OpenSubscription): void {
    subscription.working = false;
    this.#working -= 1;
    if (this.#working > 0 || this.#idleWaiters.length === 0) return;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }
}

/** Reads the params of `events.deliver`; undefined if they are none. */
export function readEvent(params: unknown): PluginEvent | undefined {
  if (typeof params !== 'object' || params === null) return undefined;
  const { id, topic, source, timestamp, payload, correlationId, missed } = params as Record<string, unknown>;
  if (typeof id !== 'string' || typeof topic !== 'string' || typeof source !== 'string' || typeof timestamp !== 'string') return undefined;
  return {
    id,
    topic,
    source,
    timestamp,
    payload: payload ?? undefined,
    correlationId: typeof correlationId === 'string' ? correlationId : undefined,
    missed: typeof missed === 'number' ? missed : 0,
  };
}
