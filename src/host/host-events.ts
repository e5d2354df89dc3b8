import type { Clock } from '../interfaces/platform.js';
import type { BusEvent } from '../services/bus-event.js';
import type { EventBus } from '../services/event-bus.js';
import type { SubscriptionOptions } from '../services/event-subscription.js';

/** The topic bus as the embedder sees it. */
export interface HostEvents {
  /**
   * Publishes in the name of the host. Resolves when no subscriber slows the publisher; returns the event's id. A handler that waits for `publish` may
   * wait for itself if its own subscription slows publishers.
   * Rejects with INVALID_ARGUMENT for what is no topic, OVERLOADED if a thousand publishers wait already, HOST_STOPPED.
   */
  publish(topic: string, payload?: unknown, options?: { readonly source?: string; readonly correlationId?: string | undefined }): Promise<string>;
  /**
   * Subscribes to a pattern: segments parted by dots, `*` one, `**` the rest. Returns the function that ends it.
   * @throws INVALID_ARGUMENT for what is no pattern, HOST_STOPPED.
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
