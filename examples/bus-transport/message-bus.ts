/** One client's link to a bus. */
export interface BusClient {
  /** The largest payload of one message. */
  readonly maxPayloadBytes: number;
  /** Publishes to whoever is subscribed at that moment. Nobody tells whether there was anybody. @throws RangeError for a payload over the limit. */
  publish(subject: string, payload: Uint8Array): void;
  /** @returns what ends the subscription. */
  subscribe(subject: string, onMessage: (payload: Uint8Array) => void): () => void;
  /** Cuts the client off. No other client is told. */
  disconnect(): void;
}

/** A message bus. */
export interface MessageBus {
  connect(): BusClient;
}

interface Subscriber {
  readonly subject: string;
  readonly onMessage: (payload: Uint8Array) => void;
}

/**
 * A message bus within this process, as little as NATS gives: subjects, at-most-once delivery in the order of publishing, a limit on the payload, no
 * backpressure, and no sign of a client's death. It stands for the client library of a real one.
 */
export function createMessageBus({ maxPayloadBytes = 1_048_576 }: { readonly maxPayloadBytes?: number } = {}): MessageBus {
  const subscribers = new Set<Subscriber>();
  let queue: (() => void)[] = [];

  const enqueue = (deliver: () => void): void => {
    queue.push(deliver);
    if (queue.length > 1) return;
    setImmediate(() => {
      const due = queue;
      queue = [];
      for (const deliverOne of due) deliverOne();
    });
  };

  return {
    connect() {
      const own = new Set<Subscriber>();
      let connected = true;
      return {
        maxPayloadBytes,
        publish(subject, payload) {
          if (payload.length > maxPayloadBytes) throw new RangeError(`A payload has at most ${maxPayloadBytes} bytes, not ${payload.length}.`);
          if (!connected) return;
          const copy = payload.slice();
          enqueue(() => {
            for (const subscriber of [...subscribers]) if (subscriber.subject === subject && subscribers.has(subscriber)) subscriber.onMessage(copy);
          });
        },
        subscribe(subject, onMessage) {
          const subscriber = { subject, onMessage };
          own.add(subscriber);
          if (connected) subscribers.add(subscriber);
          return () => void subscribers.delete(subscriber);
        },
        disconnect() {
          connected = false;
          for (const subscriber of own) subscribers.delete(subscriber);
        },
      };
    },
  };
}
