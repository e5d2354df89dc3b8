import type { Reason } from '../errors/reason.js';
import type { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { FrameLimits } from '../frames/limits.js';
import type { Launcher, LaunchRequest, Stragglers } from '../interfaces/launcher.js';
import type { Platform } from '../interfaces/platform.js';
import type { ValueCodec } from '../messages/codec.js';
import type { HelloFields, WelcomeFields } from '../messages/message.js';
import type { IncomingCall } from '../session/incoming-call.js';
import type { WorkerState } from './worker-table.js';

/** How long each step of a worker's life may take, in milliseconds. All are configurable and named in the errors. */
export interface WorkerTimings {
  /** From launch to the end of the handshake, milliseconds. Default 30,000. */
  readonly startTimeoutMs: number;
  /** For on_load, on_unload and the other hooks. Default by trust tier: 10,000 community, 30,000 official. */
  readonly hookTimeoutMs: number;
  /** For calls in flight when the worker is stopped. Default 10,000. */
  readonly graceMs: number;
  /** From goodbye to SIGTERM. Default 2,000. */
  readonly exitTimeoutMs: number;
  /** From SIGTERM to SIGKILL. Default 5,000. */
  readonly killTimeoutMs: number;
  /** How often a silent worker is pinged. Default 5,000; it is dead when three pings in a row brought not a byte. */
  readonly heartbeatMs: number;
  /** A worker that takes nothing of what is sent to it for so long, or confirms nothing of it, is stopped as SLOW_READER. Default 30,000. */
  readonly stallTimeoutMs: number;
}

/** The defaults of {@link WorkerTimings}. */
export const defaultTimings: WorkerTimings = {
  startTimeoutMs: 30_000,
  hookTimeoutMs: 10_000,
  graceMs: 10_000,
  exitTimeoutMs: 2_000,
  killTimeoutMs: 5_000,
  heartbeatMs: 5_000,
  stallTimeoutMs: 30_000,
};

/** Which worker it is, for those whom it tells something. */
export interface WorkerIdentity {
  readonly id: string;
  readonly generation: number;
  /** Why it is not ready; undefined while it is. */
  readonly reason: Reason | undefined;
}

/** What a worker tells its plugin. */
export interface WorkerHandlers {
  onState(worker: WorkerIdentity, from: WorkerState, to: WorkerState): void;
  onRequest(worker: WorkerIdentity, call: IncomingCall): void;
  onOneWay(worker: WorkerIdentity, method: string, params: unknown): void | Promise<void>;
  onOneWayCredit(worker: WorkerIdentity): void;
  onOutput(worker: WorkerIdentity, line: { readonly source: 'stdout' | 'stderr'; readonly text: string; readonly truncated: boolean }): void;
  /** It broke a rule of the protocol; if that ended it, its state and reason say so. */
  onViolation(worker: WorkerIdentity, error: WorkerRuntimeError): void;
  /** on_unload failed; the worker is stopped all the same. */
  onUnloadFailed(worker: WorkerIdentity, error: unknown): void;
  /** Processes that it had started outlived it. */
  onStragglers(worker: WorkerIdentity, stragglers: Stragglers): void;
}

/** What a worker is made of. */
export interface WorkerOptions {
  readonly launcher: Launcher;
  readonly launch: Omit<LaunchRequest, 'signal' | 'onOutput'>;
  readonly platform: Platform;
  readonly codec: ValueCodec;
  readonly limits: FrameLimits;
  readonly timings: WorkerTimings;
  /** Bytes that may wait for a worker that does not read, before it is given up. */
  readonly maxQueuedBytes: number;
  /** Calls that its plugin's callers may have in flight to it. */
  readonly maxConcurrency: number;
  /** Calls of the worker that may be unanswered. */
  readonly maxIncomingCalls: number;
  readonly debug: boolean;
  /** Makes text that may come from the worker fit for logs and records: no secrets, no control characters. */
  clean(text: string): string;
  /** The same error without secrets. */
  withoutSecrets(error: unknown): unknown;
  /** Optional abilities of the protocol that are offered to it, as `resume`. */
  readonly features: readonly string[];
  /** Decides about the hello and gives the welcome. Throws to reject. */
  admit(hello: HelloFields): Omit<WelcomeFields, 'version' | 'features'>;
  readonly handlers: WorkerHandlers;
}
