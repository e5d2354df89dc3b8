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
    const matching = [...this.#open].filter((subscription) => subscription.matches(event.topic));
    let left = matching.length;
    if (left === 0) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        left -= 1;
        if (left === 0) resolve();
      };
      for (const subscription of matching) {
        subscription.waiting.push({ event, done });
        if (!subscription.working) void this.#work(subscription);
      }
    });
  }

  /** Resolves when no handler runs. */
  idle(): Promise<void> {
    return this.#working === 0 ? Promise.resolve() : new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Takes no more events and drops what waits. */
  close(): void {
    for (const subscription of [...this.#open]) this.remove(subscription);
  }

  async #work(subscription: OpenSubscription): Promise<void> {
    subscription.working = true;
    this.#working += 1;
    for (let next = subscription.waiting.shift(); next !== undefined; next = subscription.waiting.shift()) {
      try {
        await subscription.handler(next.event, this.#options.context());
      } catch (error) {
        this.#options.log.error(
          { err: error, topic: next.event.topic, pattern: subscription.pattern },
          `The handler of the events "${subscription.pattern}" failed.`,
        );
      }
      next.done();
    }
    subscription.working = false;
    this.#working -= 1;
    if (this.#working > 0) return;
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
