import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { ReceiveCredit } from './credit.js';

interface Waiter {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

/** What an item queue tells the call that it belongs to. */
export interface ItemQueueEvents {
  /** The reader left before the end. */
  onLeave?(): void;
  /** The reader took the last item that had arrived, and may now have to wait. */
  onEmptied?(): void;
}

/**
 * The reading end of one direction of a stream: items wait here until the reader asks for them, and only then count as
 * consumed. Its size is bounded by the credit that was granted.
 */
export class ItemQueue implements AsyncIterableIterator<unknown> {
  readonly #credit: ReceiveCredit;
  readonly #events: ItemQueueEvents;
  readonly #values: unknown[] = [];
  readonly #sizes: number[] = [];
  #head = 0;
  #ended = false;
  #endArrived = false;
  #error: unknown;
  #waiters: Waiter[] = [];
  #iterated = false;

  constructor(credit: ReceiveCredit, events: ItemQueueEvents = {}) {
    this.#credit = credit;
    this.#events = events;
  }

  get hasItems(): boolean {
    return this.#head < this.#values.length;
  }
  /** Whether nothing more will be read into it. */
  get ended(): boolean {
    return this.#ended;
  }
  /** Whether the sender said that no more items come. */
  get endArrived(): boolean {
    return this.#endArrived;
  }

  /** An item arrived. @throws PROTOCOL_ERROR if it came without credit. */
  push(value: unknown, bytes: number): void {
    this.#credit.receive(bytes);
    if (this.#ended) return;
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#values.push(value);
      this.#sizes.push(bytes);
    } else {
      this.#credit.consume(bytes);
      waiter.resolve({ done: false, value });
    }
  }

  /** The sender says that no more items come. */
  receiveEnd(error: unknown): void {
    this.#endArrived = true;
    this.end(error);
  }

  /** No more items. What has arrived is still read; then the iteration ends, or fails with `error`. */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) this.#finish(waiter);
  }

  /** Drops what has not been read and ends: the stream was cancelled or the session ended. */
  abort(error: unknown): void {
    this.#values.length = 0;
    this.#sizes.length = 0;
    this.#head = 0;
    if (this.#ended && this.#error === undefined && error !== undefined) this.#error = error;
    this.end(error);
  }

  [Symbol.asyncIterator](): this {
    if (this.#iterated) throw new WorkerRuntimeError('STREAM_CONSUMED', 'A stream can be iterated once; collect its items if you need them again.');
    this.#iterated = true;
    return this;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#head < this.#values.length) {
      const value = this.#values[this.#head];
      const bytes = this.#sizes[this.#head] ?? 0;
      this.#values[this.#head] = undefined;
      this.#head += 1;
      if (this.#head === this.#values.length || this.#head >= 1_024) {
        this.#values.splice(0, this.#head);
        this.#sizes.splice(0, this.#head);
        this.#head = 0;
      }
      if (!this.#ended) {
        this.#credit.consume(bytes);
        if (this.#head === this.#values.length) this.#events.onEmptied?.();
      }
      return Promise.resolve({ done: false, value });
    }
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      if (this.#ended) this.#finish(waiter);
      else this.#waiters.push(waiter);
    });
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    const left = !this.#ended;
    this.abort(undefined);
    // Whoever leaves is not told of an error any more.
    this.#error = undefined;
    if (left) this.#events.onLeave?.();
    return Promise.resolve({ done: true, value: undefined });
  }

  #finish(waiter: Waiter): void {
    const error = this.#error;
    if (error === undefined) waiter.resolve({ done: true, value: undefined });
    else {
      this.#error = undefined;
      waiter.reject(error);
    }
  }
}
