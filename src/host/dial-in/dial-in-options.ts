import { WorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import { handshakeFrameBytes } from '../../frames/limits.js';
import { handshakeTimeoutMs } from '../../session/handshake.js';

/** Bounds on what dials in. Whole numbers of at least 1; `resumeWindowMs` may be 0. */
export interface DialInOptions {
  /**
   * Connections that the host has not welcomed yet, of all listeners together. Default 64. When there are so many, another takes the place of one that has
   * said no complete hello for longest, at least for 250 ms (for less, the more come); if there is none, it is closed at once.
   */
  readonly maxPendingConnections?: number;
  /** How long one of them may take until it is welcomed, milliseconds. Default 10,000. */
  readonly pendingTimeoutMs?: number;
  /** Largest hello, in bytes; at most and by default 131,072. */
  readonly maxHelloBytes?: number;
  /** How long the session of a worker whose connection was lost waits for another, milliseconds. Default 30,000; 0: no session is resumed. */
  readonly resumeWindowMs?: number;
  /** Bytes of what was sent that each side keeps for a resume. Default 8 MiB. */
  readonly resumeMaxBytes?: number;
  /** How often in a minute the worker of a plugin may connect again, and how often a token may be used; more often is `OVERLOADED`. Default 60. */
  readonly maxConnectsPerMinute?: number;
  /** Controllers that are connected at a time. Default 64. */
  readonly maxControllers?: number;
  /** Calls of one controller that the host works on at a time. Default 256. */
  readonly maxCallsPerController?: number;
}

const defaults: Required<DialInOptions> = {
  maxPendingConnections: 64,
  pendingTimeoutMs: handshakeTimeoutMs,
  maxHelloBytes: handshakeFrameBytes,
  resumeWindowMs: 30_000,
  resumeMaxBytes: 8 * 1024 * 1024,
  maxConnectsPerMinute: 60,
  maxControllers: 64,
  maxCallsPerController: 256,
};

/** The names of the options. */
export const dialInOptionNames = Object.fromEntries(Object.keys(defaults).map((name) => [name, true])) as Record<keyof DialInOptions, true>;

/** The most that a timer can wait, and the largest integer of a welcome that every language has. */
const maxValue = 2 ** 31 - 1;

/** Fills in the defaults. @throws INVALID_ARGUMENT */
export function resolveDialInOptions(options: DialInOptions = {}): Required<DialInOptions> {
  const resolved = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof DialInOptions)[]) {
    const value = options[name];
    if (value === undefined) continue;
    const max = name === 'maxHelloBytes' ? handshakeFrameBytes : maxValue;
    const min = name === 'resumeWindowMs' ? 0 : 1;
    if (!Number.isSafeInteger(value) || value < min || value > max)
      throw new WorkerRuntimeError('INVALID_ARGUMENT', `dialIn.${name} must be a whole number from ${min} to ${max}.`);
    resolved[name] = value;
  }
  return resolved;
}
