import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { estimateBytes } from '../services/estimate-bytes.js';

interface KnownCall {
  readonly outcome: Promise<unknown>;
  bytes: number;
}

const maxCalls = 1_000;
const maxBytes = 16 * 1024 * 1024;

/**
 * Remembers calls that were made with an idempotency key, so that the same key is not sent twice to one worker: whoever repeats gets the first
 * call's outcome. Bounded in number and size; the oldest is forgotten first. A call that failed is forgotten at once, so that it can be repeated.
 */
export class SettledCalls {
  readonly #calls = new Map<string, KnownCall>();
  #bytes = 0;

  /**
   * Makes the call, unless one of the same key is known. Whoever joins a call that is in flight has a signal of its own, and if the first caller
   * gives up, its turn comes.
   */
  once(key: string, call: () => Promise<unknown>, signal: AbortSignal | undefined): Promise<unknown> {
    const known = this.#calls.get(key);
    if (known !== undefined) return this.#join(key, known, call, signal);
    const made: KnownCall = { outcome: call(), bytes: 0 };
    this.#calls.set(key, made);
    made.outcome.then(
      (result) => this.#keep(key, made, result),
      () => this.#forget(key, made),
    );
    this.#trim();
    return made.outcome;
  }

  /** A new worker knows nothing of the calls of the last. */
  clear(): void {
    this.#calls.clear();
    this.#bytes = 0;
  }

  async #join(key: string, known: KnownCall, call: () => Promise<unknown>, signal: AbortSignal | undefined): Promise<unknown> {
    try {
      return await abortable(known.outcome, signal);
    } catch (error) {
      const firstGaveUp = isWorkerRuntimeError(error) && (error.code === 'CANCELLED' || error.code === 'DEADLINE_EXCEEDED');
      if (!firstGaveUp || signal?.aborted === true) throw error;
      this.#forget(key, known);
      return this.once(key, call, signal);
    }
  }

  #keep(key: string, made: KnownCall, result: unknown): void {
    if (this.#calls.get(key) !== made) return;
    made.bytes = estimateBytes(result);
    this.#bytes += made.bytes;
    this.#trim();
  }

  #forget(key: string, made: KnownCall): void {
    if (this.#calls.get(key) !== made) return;
    this.#calls.delete(key);
    this.#bytes -= made.bytes;
  }

  #trim(): void {
    for (const [key, known] of this.#calls) {
      if (this.#calls.size <= maxCalls && this.#bytes <= maxBytes) return;
      this.#forget(key, known);
    }
  }
}

/** Settles like `work`, or rejects when the signal is aborted; `work` goes on. */
function abortable(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<unknown> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void =>
      reject(new WorkerRuntimeError('CANCELLED', 'The call was cancelled by its signal.', { cause: signal.reason, mayHaveRun: true }));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const leave = (): void => signal.removeEventListener('abort', onAbort);
    work.then(resolve, reject).finally(leave);
  });
}
