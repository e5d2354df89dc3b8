import type { Clock } from '../interfaces/platform.js';
import type { BusEvent, EventBus, SubscriptionOptions } from '../services/event-bus.js';

/** The topic bus as the embedder sees it. */
export interface HostEvents {
  /**
   * Publishes in the name of the host. Resolves when no subscriber slows the publisher; returns the event's id.
   * @throws INVALID_ARGUMENT for what is no topic.
   */
  publish(topic: string, payload?: unknown, options?: { readonly source?: string; readonly correlationId?: string | undefined }): Promise<string>;
  /**
   * Subscribes to a pattern: segments parted by dots, `*` one, `**` the rest. Returns the function that ends it.
   * @throws INVALID_ARGUMENT for what is no pattern.
   */
  subscribe(pattern: string, handler: (event: BusEvent) => void | Promise<void>, options?: SubscriptionOptions): () => void;
}

/** Makes the embedder's view of a bus. */
export function createHostEvents(bus: EventBus, clock: Clock, createId: () => string): HostEvents {
  return {
    async publish(topic, payload, { source = 'host', correlationId } = {}) {
      const id = createId();
      const timestamp = new Date(clock.wallTime()).toISOString();
      await bus.publish({ id, topic, source, timestamp, payload, ...(correlationId === undefined ? {} : { correlationId }) });
      return id;
    },
    subscribe: (pattern, handler, options) => bus.subscribe(pattern, handler, options),
  };
}
