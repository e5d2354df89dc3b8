import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { OutgoingCall } from './outgoing-call.js';

/**
 * A stream of the callee's items. It has started already; it can be iterated once, and leaving the loop cancels it.
 * `result` settles when the call ends and never causes an unhandled rejection.
 */
export class CallStream<Item = unknown, Result = unknown> implements AsyncIterable<Item> {
  /** The callee's result. Rejects as a call does; nobody has to look at it. */
  readonly result: Promise<Result>;
  readonly #call: OutgoingCall;

  /** @internal Made by a session. */
  constructor(call: OutgoingCall) {
    this.#call = call;
    this.result = call.settled as Promise<Result>;
    this.result.catch(() => {});
  }

  /** The items, once. Items that nobody asks for hold up the callee. @throws STREAM_CONSUMED the second time. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Item> {
    const { queue } = this.#call;
    if (queue === undefined) throw new WorkerRuntimeError('INTERNAL_ERROR', 'This call has no items.');
    return queue[Symbol.asyncIterator]() as AsyncIterableIterator<Item>;
  }

  /** Ends the stream early: the callee is told, the iteration and `result` fail with `CANCELLED`. */
  cancel(reason = 'The reader does not need more.'): void {
    const { method, mayHaveRun } = this.#call;
    this.#call.cancel(new WorkerRuntimeError('CANCELLED', `The stream "${method}" was cancelled: ${reason}`, { mayHaveRun }));
  }
}
