import { topicPatterns } from '../capabilities/scope-topics.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Logger } from '../interfaces/logger.js';

const patterns = topicPatterns();
const topics = topicPatterns({ attempts: 'topics' });

/** An event of the bus. */
export interface BusEvent {
  /** Unique. */
  readonly id: string;
  /** Dot segments, as `mail.received`. */
  readonly topic: string;
  /** Id of the plugin that published it, or `host`. */
  readonly source: string;
  /** ISO 8601 time. */
  readonly timestamp: string;
  readonly payload: unknown;
  readonly correlationId?: string | undefined;
  /** How many events this subscriber missed before this one. */
  readonly missed?: number | undefined;
}

/** How a subscription behaves. */
export interface SubscriptionOptions {
  /** Events that may wait for the subscriber. Default 1,024. */
  readonly capacity?: number;
  /** When that many wait: the oldest is dropped and counted (`missed`), or `publish` waits. Default `drop-oldest`. */
  readonly onFull?: 'drop-oldest' | 'slow-publisher';
}

type Deliver = (event: BusEvent) => void | Promise<void>;

class Subscription {
  closed = false;
  readonly #queue: BusEvent[] = [];
  readonly #capacity: number;
  readonly #slow: boolean;
  readonly #deliver: Deliver;
  readonly #onError: (error: unknown, event: BusEvent) => void;
  #missed = 0;
  #running = false;
  #waiters: (() => void)[] = [];

  constructor(
    readonly pattern: string,
    options: SubscriptionOptions,
    deliver: Deliver,
    onError: (error: unknown, event: BusEvent) => void,
  ) {
    this.#capacity = options.capacity ?? 1_024;
    this.#slow = options.onFull === 'slow-publisher';
    this.#deliver = deliver;
    this.#onError = onError;
  }

  /** @returns a promise to wait for, if the publisher is to be slowed. */
  offer(event: BusEvent): Promise<void> | undefined {
    this.#queue.push(event);
    if (!this.#running) void this.#run();
    if (this.#queue.length <= this.#capacity) return undefined;
    if (this.#slow) return new Promise((resolve) => this.#waiters.push(resolve));
    this.#queue.shift();
    this.#missed += 1;
    return undefined;
  }

  close(): void {
    this.closed = true;
    this.#queue.length = 0;
    this.#release();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let event = this.#queue.shift(); event !== undefined && !this.closed; event = this.#queue.shift()) {
      const missed = this.#missed;
      this.#missed = 0;
      try {
        const delivered = this.#deliver(missed === 0 ? event : { ...event, missed });
        if (delivered !== undefined) await delivered;
      } catch (error) {
        this.#onError(error, event);
      }
      if (this.#queue.length <= this.#capacity) this.#release();
    }
    this.#running = false;
  }

  #release(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}

/**
 * The topic bus. Events are delivered at most once, in order per publisher and topic; a subscriber that fails is logged
 * and harms nobody.
 */
export class EventBus {
  readonly #logger: Logger;
  readonly #subscriptions = new Set<Subscription>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get subscriptionCount(): number {
    return this.#subscriptions.size;
  }

  /** Publishes. Resolves when no subscriber wants to slow the publisher. @throws INVALID_ARGUMENT for a topic with wildcards or empty segments. */
  async publish(event: BusEvent): Promise<void> {
    if (!topics.isValue(event.topic)) throw new WorkerRuntimeError('INVALID_ARGUMENT', `"${event.topic}" is not a topic: use words parted by dots, as mail.received.`);
    let waits: Promise<void>[] | undefined;
    for (const subscription of this.#subscriptions) {
      if (!patterns.matches(subscription.pattern, event.topic)) continue;
      const wait = subscription.offer(event);
      if (wait !== undefined) (waits ??= []).push(wait);
    }
    if (waits !== undefined) await Promise.all(waits);
  }

  /** Subscribes; returns the function that ends it. @throws INVALID_ARGUMENT for a pattern that is none. */
  subscribe(pattern: string, deliver: Deliver, options: SubscriptionOptions = {}): () => void {
    const parsed = patterns.parsePattern(pattern);
    if (!('pattern' in parsed)) throw new WorkerRuntimeError('INVALID_ARGUMENT', `"${pattern}" is not a topic pattern: ${parsed.message}`);
    const subscription = new Subscription(parsed.pattern, options, deliver, (error, event) =>
      this.#logger.error({ err: error, topic: event.topic, pattern }, 'An event handler failed; the event counts as delivered.'),
    );
    this.#subscriptions.add(subscription);
    return () => {
      subscription.close();
      this.#subscriptions.delete(subscription);
    };
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.close();
    this.#subscriptions.clear();
  }
}
