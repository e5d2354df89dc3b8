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
  // Unique by the host's part and the count; a fresh random id for each event would cost as much as the rest of it.
  const hostPart = createId();
  let count = 0;
  let timestampOf = Number.NaN;
  let timestamp = '';
  const now = (): string => {
    const wallTime = clock.wallTime();
    if (wallTime !== timestampOf) timestamp = new Date(wallTime).toISOString();
    timestampOf = wallTime;
    return timestamp;
  };
  return {
    async publish(topic, payload, { source = 'host', correlationId } = {}) {
      count += 1;
      const id = `${hostPart}-${count.toString(36)}`;
      const event = { id, topic, source, timestamp: now(), payload };
      const wait = bus.publish(correlationId === undefined ? event : { ...event, correlationId });
      if (wait !== undefined) await wait;
      return id;
    },
    subscribe: (pattern, handler, options) => bus.subscribe(pattern, handler, options),
  };
}
