import { isWorkerRuntimeError, WorkerRuntimeError } from './worker-runtime-error.js';

/** An error as it travels (docs/protocol.md, section 3.2). */
export interface WireError {
  /** A code of docs/errors.md; one that the receiver does not know is kept as it stands. 1 to 256 characters. */
  readonly code: string;
  /** A sentence for a person. {@link toWireError} and {@link fromWireError} cut it after 4,096 characters. */
  readonly message: string;
  /** Whether repeating the same request may succeed. Absent: the default of the code. */
  readonly retryable?: boolean;
  /** Whether the call may have had an effect. Absent: the question does not arise. */
  readonly mayHaveRun?: boolean;
  /** Facts for a program, as of the same member of {@link WorkerRuntimeError}. Absent: none. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** The plugin author's own code inside a `HANDLER_ERROR`. */
  readonly handlerCode?: string;
  /** The stack of the thrower; only where the welcome says `debug`. */
  readonly stack?: string;
}

const maxMessageLength = 4_096;
/** What a code of a peer must look like. Codes are matched on and printed; a plugin's own words belong into `handlerCode` and `message`. */
const codeForm = /^[A-Z][A-Z0-9_]{0,255}$/;
/** What steers a terminal or turns the direction of text: C0 (but tab and line feed) and C1 controls, separators, bidirectional controls. */
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

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

/**
 * Reads an error that a peer sent. Whatever shape it has, the result is a `WorkerRuntimeError` that can be printed: a code that is none becomes
 * `HANDLER_ERROR`, and characters that steer terminals become visible escapes.
 */
export function fromWireError(wire: unknown): WorkerRuntimeError {
  if (typeof wire !== 'object' || wire === null) return new WorkerRuntimeError('HANDLER_ERROR', 'The other side failed without saying how.');
  const { code, message, retryable, mayHaveRun, details, handlerCode, stack } = wire as Record<string, unknown>;
  const error = new WorkerRuntimeError(
    typeof code === 'string' && codeForm.test(code) ? code : 'HANDLER_ERROR',
    typeof message === 'string' ? printable(message.slice(0, maxMessageLength)) : 'The other side failed without saying how.',
    {
      ...(typeof retryable === 'boolean' ? { retryable } : {}),
      ...(typeof mayHaveRun === 'boolean' ? { mayHaveRun } : {}),
      ...(typeof details === 'object' && details !== null && !Array.isArray(details) ? { details: details as Record<string, unknown> } : {}),
      ...(typeof handlerCode === 'string' ? { handlerCode: printable(handlerCode.slice(0, 256)) } : {}),
    },
  );
  if (typeof stack === 'string') error.stack = `${error.name}: ${error.message}\n    at the other side:\n${printable(stack.slice(0, 16_384))}`;
  return error;
}

function describeThrown(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.name === 'Error' ? thrown.message : `${thrown.name}: ${thrown.message}`;
  return typeof thrown === 'string' ? thrown : 'The handler threw a value that is not an Error.';
}

function printable(text: string): string {
  return text.replace(steering, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
