import type { Reason } from '../errors/reason.js';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';

/** The error of a worker that did not become ready. @param said whether the cause may be what the worker itself said. */
export function startFailed(pluginId: string, reason: Reason, cause: unknown, said: boolean): WorkerRuntimeError {
  const details = said && isWorkerRuntimeError(cause) ? { cause: { code: cause.code, details: cause.details } } : {};
  return new WorkerRuntimeError('START_FAILED', `The worker of "${pluginId}" did not start: ${reason.message}`, { reason, details, cause });
}
