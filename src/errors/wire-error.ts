import { isWorkerRuntimeError, WorkerRuntimeError } from './worker-runtime-error.js';

/** An error as it travels (docs/protocol.md, section 3.2). */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly retryable?: boolean;
  readonly mayHaveRun?: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly handlerCode?: string;
  readonly stack?: string;
}

const maxMessageLength = 4_096;

/** Turns whatever was thrown into its wire form. A stack travels only in debug mode. */
export function toWireError(thrown: unknown, debug = false): WireError {
  const error = isWorkerRuntimeError(thrown) ? thrown : new WorkerRuntimeError('HANDLER_ERROR', describeThrown(thrown));
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  return {
    code: error.code,
    message: error.message.length > maxMessageLength ? `${error.message.slice(0, maxMessageLength)}…` : error.message,
    retryable: error.retryable,
    ...(error.mayHaveRun === undefined ? {} : { mayHaveRun: error.mayHaveRun }),
    ...(Object.keys(error.details).length === 0 ? {} : { details: error.details }),
    ...(error.handlerCode === undefined ? {} : { handlerCode: error.handlerCode }),
    ...(debug && stack !== undefined ? { stack } : {}),
  };
}

/** Reads an error that a peer sent. Whatever shape it has, the result is a `WorkerRuntimeError`. */
export function fromWireError(wire: unknown): WorkerRuntimeError {
  if (typeof wire !== 'object' || wire === null) return new WorkerRuntimeError('HANDLER_ERROR', 'The other side failed without saying how.');
  const { code, message, retryable, mayHaveRun, details, handlerCode, stack } = wire as Record<string, unknown>;
  const error = new WorkerRuntimeError(
    typeof code === 'string' && code.length > 0 && code.length <= 256 ? code : 'HANDLER_ERROR',
    typeof message === 'string' ? message.slice(0, maxMessageLength) : 'The other side failed without saying how.',
    {
      ...(typeof retryable === 'boolean' ? { retryable } : {}),
      ...(typeof mayHaveRun === 'boolean' ? { mayHaveRun } : {}),
      ...(typeof details === 'object' && details !== null && !Array.isArray(details) ? { details: details as Record<string, unknown> } : {}),
      ...(typeof handlerCode === 'string' ? { handlerCode } : {}),
    },
  );
  if (typeof stack === 'string') error.stack = `${error.name}: ${error.message}\n    at the other side:\n${stack.slice(0, 16_384)}`;
  return error;
}

function describeThrown(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.name === 'Error' ? thrown.message : `${thrown.name}: ${thrown.message}`;
  return typeof thrown === 'string' ? thrown : 'The handler threw a value that is not an Error.';
}
