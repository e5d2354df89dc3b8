import { type Reason, type ReasonCode, reasonCodes } from '../errors/reason.js';
import type { WorkerExit } from '../interfaces/launcher.js';
import type { Clock } from '../interfaces/platform.js';
import type { SessionEnd } from '../session/session-options.js';

/** Makes a reason object; what is not known is null, empty or 0. */
export function createReason(
  clock: Clock,
  code: ReasonCode,
  message: string,
  known: Partial<Omit<Reason, 'code' | 'message' | 'action'>> = {},
): Reason {
  return {
    code,
    message,
    since: known.since ?? new Date(clock.wallTime()).toISOString(),
    exitCode: known.exitCode ?? null,
    signal: known.signal ?? null,
    stderrTail: known.stderrTail ?? '',
    restarts: known.restarts ?? 0,
    nextRetryAt: known.nextRetryAt ?? null,
    action: reasonCodes[code],
  };
}

/** The sentence and code for a process that ended by itself. @param spoke whether it had said hello. */
export function describeExit(exit: WorkerExit, spoke: boolean): { readonly code: ReasonCode; readonly message: string } {
  if (exit.error !== undefined) return { code: 'SPAWN_FAILED', message: `The worker could not be started: ${exit.error}` };
  if (exit.signal !== null) return { code: 'KILLED_BY_SIGNAL', message: `The worker was ended by ${exit.signal}.` };
  const ended = `The worker ended by itself with exit code ${exit.exitCode ?? 'unknown'}`;
  if (spoke) return { code: 'EXITED', message: `${ended}.` };
  const hint = 'does its program call serve(plugin), or plugin.run() in Python, and is the SDK installed where it runs?';
  return { code: 'EXITED', message: `${ended} before it spoke to the host: ${hint}` };
}

/** The sentence and code for a session that this side ended because of a fault; undefined if it ended in another way. */
export function describeFault({ code, message, goodbye }: SessionEnd): { readonly code: ReasonCode; readonly message: string } | undefined {
  if (goodbye) return undefined;
  if (code === 'PROTOCOL_ERROR') return { code, message: `The worker broke the protocol: ${message}` };
  if (code === 'SLOW_READER') return { code, message };
  if (code === 'INTERNAL_ERROR') return { code: 'CHANNEL_CLOSED', message: `The host could not handle a message of the worker: ${message}` };
  return undefined;
}

/** The sentence and code for a session that the worker ended, or that was lost. @param hasProcess whether a process is left that could have ended too. */
export function describeLoss({ code, message, goodbye }: SessionEnd, hasProcess: boolean): { readonly code: ReasonCode; readonly message: string } {
  if (hasProcess) {
    const how = goodbye ? `said goodbye (${code})` : 'closed its channel';
    return { code: 'CHANNEL_CLOSED', message: `The worker ${how} while its process went on: ${message}` };
  }
  if (goodbye) return { code: 'EXITED', message: `The worker said goodbye (${code}): ${message}` };
  return { code: 'DISCONNECTED', message: `The connection to the worker was lost: ${message}` };
}
