import { fromWireError, toWireError } from '../errors/wire-error.js';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { toLoggable } from './loggable.js';
import type { Redactor } from './redactor.js';

/** Codes that mean the same to the caller whoever in the chain of calls met with them. */
const travelling = new Set<string>(['HANDLER_ERROR', 'CAPABILITY_DENIED', 'CONFIRMATION_REQUIRED']);

/**
 * What the caller is told of an error that a handler threw.
 *
 * A denial by the host and a `PluginError` go on as they are. Any other error of this library speaks of a call that the handler made: its
 * METHOD_NOT_FOUND is not the caller's, and its "has not run" would be a lie about the handler, which has. It becomes a HANDLER_ERROR
 * with the original code as `handlerCode`.
 */
export function handlerError(thrown: unknown): unknown {
  if (!isWorkerRuntimeError(thrown)) return thrown;
  if (travelling.has(thrown.code) && thrown.mayHaveRun !== false) return thrown;
  const travels = travelling.has(thrown.code);
  return new WorkerRuntimeError(travels ? thrown.code : 'HANDLER_ERROR', thrown.message, {
    details: thrown.details,
    retryable: thrown.retryable,
    cause: thrown,
    ...(travels ? (thrown.handlerCode === undefined ? {} : { handlerCode: thrown.handlerCode }) : { handlerCode: thrown.code }),
  });
}

/** The error without the values of the plugin's secret configuration: its caller may be anybody. */
export function withoutSecrets(thrown: unknown, redactor: Redactor): unknown {
  if (!redactor.active) return thrown;
  const { stack, details, ...wire } = toWireError(thrown, true);
  const message = redactor.text(wire.message);
  const cleanStack = stack === undefined ? undefined : redactor.text(stack);
  const handlerCode = wire.handlerCode === undefined ? undefined : redactor.text(wire.handlerCode);
  const hiding = details !== undefined && holdsSecret(details, redactor);
  if (message === wire.message && cleanStack === stack && handlerCode === wire.handlerCode && !hiding) return thrown;
  return fromWireError({ ...wire, message, handlerCode, details: hiding ? toLoggable(details, redactor).value : details });
}

function holdsSecret(value: unknown, redactor: Redactor, above: readonly unknown[] = []): boolean {
  if (typeof value === 'string') return redactor.text(value) !== value;
  if (typeof value === 'number' || typeof value === 'bigint') return redactor.hides(value);
  if (typeof value !== 'object' || value === null || above.includes(value) || above.length > 32) return false;
  const inside = [...above, value];
  return Object.entries(value).some(([key, part]) => redactor.text(key) !== key || holdsSecret(part, redactor, inside));
}
