import { WorkerRuntimeError } from './worker-runtime-error.js';

/**
 * Thrown by a plugin's handler to tell the caller a code of the author's own: it arrives as `HANDLER_ERROR` with
 * `handlerCode` and `details`.
 */
export class PluginError extends WorkerRuntimeError {
  constructor(handlerCode: string, message: string, details: Readonly<Record<string, unknown>> = {}, retryable = false) {
    super('HANDLER_ERROR', message, { handlerCode, details, retryable });
  }
}
