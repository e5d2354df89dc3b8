import { topicPatterns } from '../capabilities/scope-topics.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Logger } from '../interfaces/logger.js';
import { topicMatcher } from '../plugin/topic-pattern.js';
import type { BusEvent } from './bus-event.js';
import { estimateBytes } from './estimate-bytes.js';
import { type Deliver, EventSubscription, type OfferedEvent, type SubscriptionOptions } from './event-subscription.js';

const patterns = topicPatterns();
const topics = topicPatterns({ attempts: 'topics' });

/** Brings a pattern into the form that {@link EventBus.attach} can be given a matcher of. @throws INVALID_ARGUMENT for what is no pattern. */
export function parseTopicPattern(pattern: string): string {
  const parsed = patterns.parsePattern(pattern);
  if ('pattern' in parsed) return parsed.pattern;
  throw new WorkerRuntimeError('INVALID_ARGUMENT', `${JSON.stringify(pattern.slice(0, 256))} is not a topic pattern: ${parsed.message}`);
}

/**
 * The topic bus. Events are delivered at most once, in order per publisher and topic; a subscriber that fails is logged
 * and harms nobody.
 */
export class EventBus {
  readonly #logger: Logger;
  readonly #subscriptions = new Set<EventSubscription>();
  #closed = false;
  #checkedTopic: string | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /**
   * Publishes.
   * @returns a promise to wait for, where a subscriber wants to slow the publisher.
   * @throws INVALID_ARGUMENT for a topic with wildcards or empty segments; OVERLOADED if a thousand publishers wait for a subscriber already;
   * HOST_STOPPED after the end. Nobody was told then.
   */
  publish(event: BusEvent): Promise<void> | undefined {
    this.#assertOpen();
    const { topic } = event;
    // Who publishes much publishes under one topic again and again.
    if (topic !== this.#checkedTopic && !topics.isValue(topic)) {
      throw new WorkerRuntimeError('INVALID_ARGUMENT', `${JSON.stringify(event.topic)} is not a topic: use words parted by dots, as mail.received.`);
    }
    this.#checkedTopic = topic;
    const matching: EventSubscription[] = [];
    for (const subscription of this.#subscriptions) if (subscription.matches(topic)) matching.push(subscription);
    if (matching.some((subscription) => subscription.overrun)) {
      throw new WorkerRuntimeError(
        'OVERLOADED',
        `Too many publishers wait for a slow subscriber of "${event.topic}"; wait for publish before the next.`,
      );
    }
    let bytes: number | undefined;
    const offered: OfferedEvent = {
      event,
      bytes: () => {
        bytes ??= estimateBytes(event.payload);
        return bytes;
      },
    };
    // All have it before anybody acts on it: what a handler publishes at once must not overtake this event on its way to another subscriber.
    for (const subscription of matching) subscription.enqueue(offered);
    let waits: Promise<void>[] | undefined;
    for (const subscription of matching) {
      const wait = subscription.flow();
      if (wait === undefined) continue;
      waits ??= [];
      waits.push(wait);
    }
    return waits === undefined ? undefined : Promise.all(waits).then(() => {});
  }

  /** Subscribes; returns the function that ends it. @throws INVALID_ARGUMENT for a pattern or an option that is not acceptable, HOST_STOPPED after the end. */
  subscribe(pattern: string, deliver: Deliver, options: SubscriptionOptions = {}): () => void {
    return this.attach(topicMatcher(parseTopicPattern(pattern)), pattern, deliver, options);
  }

  /** Subscribes to all topics that match, however many patterns stand behind that: each event is delivered once. @param name for the log. */
  attach(matches: (topic: string) => boolean, name: string, deliver: Deliver, options: SubscriptionOptions = {}): () => void {
    this.#assertOpen();
    const subscription = new EventSubscription(matches, options, deliver, (error, { topic }) =>
      this.#logger.error({ err: error, topic, subscriber: name }, 'An event handler failed; the event counts as delivered.'),
    );
    this.#subscriptions.add(subscription);
    return () => {
      subscription.close();
      this.#subscriptions.delete(subscription);
    };
  }

  close(): void {
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription.close();
    this.#subscriptions.clear();
  }

  #assertOpen(): void {
    if (this.#closed) throw new WorkerRuntimeError('HOST_STOPPED', 'The host was stopped; its topic bus is closed.');
  }
}
