import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';

/** Codes of errors that speak of other plugins, of the policy or of the host itself: their sentences and details are none of a worker's business. */
const inwardCodes: ReadonlySet<string> = new Set([
  'APPROVAL_REQUIRED',
  'WORKER_UNAVAILABLE',
  'WORKER_LOST',
  'START_FAILED',
  'PLUGIN_NOT_FOUND',
  'INVALID_MANIFEST',
  'INVALID_CONFIG',
  'INVALID_POLICY',
]);

/**
 * What a worker is told of an error that a service threw. What was thrown for the worker goes on as it is; of what another plugin's failure made of
 * the call it learns the code; and of a defect in the service nothing at all.
 * @returns undefined if the error can go on as it is.
 */
export function outwardError(error: unknown, method: string): WorkerRuntimeError | undefined {
  if (!isWorkerRuntimeError(error)) return new WorkerRuntimeError('INTERNAL_ERROR', `"${method}" failed inside the host; its log says why.`);
  const mayHaveRun = error.mayHaveRun === undefined ? {} : { mayHaveRun: error.mayHaveRun };
  if (inwardCodes.has(error.code)) {
    return new WorkerRuntimeError(error.code, `"${method}" needs something of the host that is not available now; its log says what.`, mayHaveRun);
  }
  // Another plugin's denial, handed on: what that plugin lacks is in the audit.
  if (error.code === 'CAPABILITY_DENIED' || error.code === 'CONFIRMATION_REQUIRED') {
    return new WorkerRuntimeError(error.code, `"${method}" needs something that was denied to another plugin.`, mayHaveRun);
  }
  return undefined;
}
