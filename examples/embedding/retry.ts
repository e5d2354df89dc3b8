import { setTimeout as sleep } from 'node:timers/promises';
import { isWorkerRuntimeError } from '@synapse/worker-runtime';

/** How often and when a call is repeated. */
export interface RetryOptions {
  /** Calls altogether. Default 4. */
  readonly attempts?: number;
  /** Whether it does no harm to make the call twice. Default false. */
  readonly idempotent?: boolean;
  /** Ends the waiting; pass it to the call too. */
  readonly signal?: AbortSignal;
}

/** Makes a call again where that can help, and comes to an end in every case. */
export async function withRetry<T>(call: () => Promise<T>, { attempts = 4, idempotent = false, signal }: RetryOptions = {}): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt >= attempts || !isWorthRepeating(error, idempotent)) throw error;
      const waitMs = 100 * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
      await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
    }
  }
}

function isWorthRepeating(error: unknown, idempotent: boolean): boolean {
  if (!isWorkerRuntimeError(error) || !error.retryable) return false;
  // It may have been done already.
  if (error.mayHaveRun === true && !idempotent) return false;
  // There is no worker. These pass by themselves, and so does what has a next attempt; all else waits for an operator.
  const { reason } = error;
  return reason === undefined || reason.code === 'STARTING' || reason.code === 'DRAINING' || reason.nextRetryAt !== null;
}
