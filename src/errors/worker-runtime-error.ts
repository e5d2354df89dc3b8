import { type ErrorCode, errorCodes } from './codes.js';
import type { Reason } from './reason.js';

const brand = Symbol.for('synapse.worker-runtime.error');

/** What an error may carry beside code and message. */
export interface WorkerRuntimeErrorOptions {
  /** Facts for a program: for `CAPABILITY_DENIED` the capability, scope and decision id, for `INVALID_MANIFEST` the problems, … */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Overrides the default of the code. */
  readonly retryable?: boolean;
  /** Whether the call may have had an effect. Set on every outcome in which the worker was lost or the time ran out. */
  readonly mayHaveRun?: boolean;
  /** The plugin author's own code inside a `HANDLER_ERROR`. */
  readonly handlerCode?: string;
  /** Why the worker or plugin is not available. */
  readonly reason?: Reason;
  /** What led to it, for the logs of this side: a cause never travels. */
  readonly cause?: unknown;
}

/**
 * The one error class of this library. Recognise it with {@link isWorkerRuntimeError}, which also works across copies
 * of the library, and match on `code`.
 */
export class WorkerRuntimeError extends Error {
  /** One name for all errors of this library; what tells them apart is `code`. */
  override readonly name = 'WorkerRuntimeError';
  /** A code of the table in docs/errors.md; one that a newer peer sent is kept as it stands. */
  readonly code: ErrorCode | (string & {});
  /** Whether repeating the same request may succeed. */
  readonly retryable: boolean;
  /** Whether the call may have had an effect; undefined where the question does not arise. */
  readonly mayHaveRun: boolean | undefined;
  /** Facts for a program; which ones depends on the code (docs/errors.md). Empty where there are none, never undefined. */
  readonly details: Readonly<Record<string, unknown>>;
  /** The plugin author's own code inside a `HANDLER_ERROR`. */
  readonly handlerCode: string | undefined;
  /** Why the worker or plugin is not available. */
  readonly reason: Reason | undefined;

  constructor(code: ErrorCode | (string & {}), message: string, options: WorkerRuntimeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? (Object.hasOwn(errorCodes, code) ? errorCodes[code as ErrorCode].retryable : false);
    this.mayHaveRun = options.mayHaveRun;
    this.details = options.details ?? {};
    this.handlerCode = options.handlerCode;
    this.reason = options.reason;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether `value` is an error of this library, whichever copy of it made it. With `code`, also whether it has that code. */
export function isWorkerRuntimeError(value: unknown, code?: ErrorCode): value is WorkerRuntimeError {
  if (typeof value !== 'object' || value === null || (value as Record<symbol, unknown>)[brand] !== true) return false;
  return code === undefined || (value as WorkerRuntimeError).code === code;
}
