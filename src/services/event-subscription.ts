import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { BusEvent } from './bus-event.js';

/** How a subscription behaves. */
export interface SubscriptionOptions {
  /** Events that may wait for the subscriber. Default 1,024. */
  readonly capacity?: number;
  /** About how many bytes of payload may wait for it. Default 16 MiB. */
  readonly maxBytes?: number;
  /** When that many wait: the oldest is dropped and counted (`missed`), or `publish` waits. Default `drop-oldest`. */
  readonly onFull?: 'drop-oldest' | 'slow-publisher';
}

/** Takes an event. The next one is not delivered before a returned promise has settled. */
export type Deliver = (event: BusEvent) => void | Promise<void>;

/** An event on its way to several subscribers. */
export interface OfferedEvent {
  readonly event: BusEvent;
  /** About how large it is; computed when somebody first wants to know. */
  readonly bytes: () => number;
}

/** Publishers that one subscription may hold up; if those do not wait for `publish`, nothing else bounds the queue. */
const maxWaitingPublishers = 1_000;

/** The queue of one subscriber. */
export class EventSubscription {
  readonly matches: (topic: string) => boolean;
  /** `bytes` is 0 for what was about to be delivered when it came. */
  readonly #queue: { readonly event: BusEvent; readonly bytes: number }[] = [];
  readonly #capacity: number;
  readonly #maxBytes: number;
  readonly #slow: boolean;
  readonly #deliver: Deliver;
  readonly #onError: (error: unknown, event: BusEvent) => void;
  #bytes = 0;
  #missed = 0;
  #running = false;
  #closed = false;
  #waiters: (() => void)[] = [];

  /** @throws INVALID_ARGUMENT for options that are not acceptable. */
  constructor(
    matches: (topic: string) => boolean,
    options: SubscriptionOptions,
    deliver: Deliver,
    onError: (error: unknown, event: BusEvent) => void,
  ) {
    const { capacity = 1_024, maxBytes = 16 * 1024 * 1024, onFull = 'drop-oldest' } = options;
    for (const [name, value] of Object.entries({ capacity, maxBytes })) {
      if (!Number.isSafeInteger(value) || value < 1)
        throw new WorkerRuntimeError('INVALID_ARGUMENT', `${name} must be a whole number of at least 1.`);
    }
    this.matches = matches;
    this.#capacity = capacity;
    this.#maxBytes = maxBytes;
    this.#slow = onFull === 'slow-publisher';
    this.#deliver = deliver;
    this.#onError = onError;
  }

  /** Whether so many publishers wait for this subscriber that another one must not. */
  get overrun(): boolean {
    return this.#waiters.length >= maxWaitingPublishers;
  }

  /** Takes an event into the queue; nothing is delivered yet. */
  enqueue({ event, bytes }: OfferedEvent): void {
    // What is delivered at once need not be measured.
    const waits = this.#running || this.#queue.length > 0;
    const entry = { event, bytes: waits ? bytes() : 0 };
    this.#queue.push(entry);
    this.#bytes += entry.bytes;
  }

  /** Delivers what waits, if nothing is being delivered. @returns a promise to wait for, if the publisher is to be slowed. */
  flow(): Promise<void> | undefined {
    if (!this.#running) this.#run();
    if (!this.#full) return undefined;
    if (this.#slow) return new Promise((resolve) => this.#waiters.push(resolve));
    while (this.#full) {
      this.#take();
      this.#missed += 1;
    }
    return undefined;
  }

  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
    this.#bytes = 0;
    this.#release();
  }

  /** One event may always wait, however large it is. */
  get #full(): boolean {
    return this.#queue.length > this.#capacity || (this.#bytes > this.#maxBytes && this.#queue.length > 1);
  }

  /** Goes on in the same turn for as long as nobody has to be waited for. */
  readonly #run = (): void => {
    this.#running = true;
    for (let event = this.#take(); event !== undefined && !this.#closed; event = this.#take()) {
      const wait = this.#deliverNext(event);
      if (wait !== undefined) {
        void wait.then(this.#goOn);
        return;
      }
      this.#releaseUnlessFull();
    }
    this.#running = false;
  };

  readonly #goOn = (): void => {
    this.#releaseUnlessFull();
    this.#run();
  };

  /** Never throws. @returns a promise that never rejects, if the subscriber is not done at once. */
  #deliverNext(event: BusEvent): Promise<void> | undefined {
    const missed = this.#missed;
    this.#missed = 0;
    try {
      return this.#deliver(missed === 0 ? event : { ...event, missed })?.catch((error: unknown) => this.#onError(error, event));
    } catch (error) {
      this.#onError(error, event);
      return undefined;
    }
  }

  #releaseUnlessFull(): void {
    if (this.#waiters.length > 0 && !this.#full) this.#release();
  }

  #take(): BusEvent | undefined {
    const entry = this.#queue.shift();
    this.#bytes -= entry?.bytes ?? 0;
    return entry?.event;
  }

  #release(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}
