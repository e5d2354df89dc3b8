import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Manifest } from '../manifest/manifest.js';
import type { TrustTier } from '../policy/policy.js';
import { defaultTimings, type WorkerTimings } from '../worker/worker-options.js';

/** Bounds on what a plugin's workers may cost the host. Whole numbers of at least 1. */
export interface HostLimits {
  /** Calls in flight to one plugin; more are refused with `OVERLOADED`. Default by trust tier: 25 official, else 10. A manifest may ask for less. */
  readonly maxConcurrency?: number;
  /** Default time limit of a call, in milliseconds. Default by trust tier: 60,000 official, else 30,000. A manifest may ask for less. */
  readonly handlerTimeoutMs?: number;
  /** Lines that a plugin may log or print in a minute; more are dropped and counted. Default by trust tier: 1,000 official, else 300. A manifest may ask for less. */
  readonly maxLogLinesPerMinute?: number;
  /** Calls of one worker that the host works on at a time. Default 256. */
  readonly maxIncomingCalls?: number;
  /** Bytes that may wait for a worker that does not read. Default 32 MiB. */
  readonly maxQueuedBytes?: number;
  /** Subscriptions of one plugin. Default 256. */
  readonly maxSubscriptions?: number;
}

/** The limits that hold for a plugin. */
export type PluginLimits = Required<HostLimits>;

/** What the host project gives each trust tier. */
const tierLimits: Readonly<
  Record<TrustTier, Omit<PluginLimits, 'maxIncomingCalls' | 'maxQueuedBytes' | 'maxSubscriptions'> & { readonly hookTimeoutMs: number }>
> = {
  official: { maxConcurrency: 25, handlerTimeoutMs: 60_000, maxLogLinesPerMinute: 1_000, hookTimeoutMs: 30_000 },
  community: { maxConcurrency: 10, handlerTimeoutMs: 30_000, maxLogLinesPerMinute: 300, hookTimeoutMs: 10_000 },
  unverified: { maxConcurrency: 10, handlerTimeoutMs: 30_000, maxLogLinesPerMinute: 300, hookTimeoutMs: 10_000 },
};

/** The most that a timer can wait. */
const maxMs = 2 ** 31 - 1;

/** @throws INVALID_ARGUMENT if it is no trust tier. */
export function assertTrustTier(trust: string): asserts trust is TrustTier {
  if (!Object.hasOwn(tierLimits, trust)) {
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `${JSON.stringify(trust)} is not a trust tier: use official, community or unverified.`);
  }
}

/** The limits for a plugin: the operator's, or else its tier's; a manifest may ask for less, never for more. @throws INVALID_ARGUMENT */
export function limitsFor(trust: TrustTier, manifest: Manifest, overrides: HostLimits): PluginLimits {
  assertWholeNumbers('limits', overrides, 1, Number.MAX_SAFE_INTEGER);
  const asked = manifest.limits;
  const given = { maxIncomingCalls: 256, maxQueuedBytes: 32 * 1024 * 1024, maxSubscriptions: 256, ...tierLimits[trust], ...defined(overrides) };
  return {
    ...given,
    maxConcurrency: least(given.maxConcurrency, asked.maxConcurrency),
    handlerTimeoutMs: least(given.handlerTimeoutMs, asked.handlerTimeoutMs),
    maxLogLinesPerMinute: least(given.maxLogLinesPerMinute, asked.maxLogLinesPerMinute),
  };
}

/** The time limits for a plugin's workers, by the same rule. @throws INVALID_ARGUMENT */
export function timingsFor(trust: TrustTier, manifest: Manifest, overrides: Partial<WorkerTimings>): WorkerTimings {
  assertWholeNumbers('timings', overrides, 0, maxMs);
  for (const name of ['heartbeatMs', 'stallTimeoutMs'] as const)
    if (overrides[name] === 0) throw new WorkerRuntimeError('INVALID_ARGUMENT', `timings.${name} must be at least 1.`);
  const given = { ...defaultTimings, hookTimeoutMs: tierLimits[trust].hookTimeoutMs, ...defined(overrides) };
  return {
    ...given,
    startTimeoutMs: least(given.startTimeoutMs, manifest.limits.startTimeoutMs),
    hookTimeoutMs: least(given.hookTimeoutMs, manifest.limits.hookTimeoutMs),
  };
}

/** @throws INVALID_ARGUMENT unless it is a number of milliseconds that can be waited for, or undefined. */
export function assertGrace(graceMs: number | undefined): void {
  assertWholeNumbers('stop', { graceMs }, 0, maxMs);
}

/** NaN would switch a limit off without a word, since nothing is greater. */
function assertWholeNumbers(where: string, values: object, min: number, max: number): void {
  for (const [name, value] of Object.entries(values) as [string, unknown][]) {
    if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max)) continue;
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `${where}.${name} must be a whole number from ${min} to ${max}.`);
  }
}

function least(given: number, asked: number | undefined): number {
  return asked === undefined ? given : Math.min(given, asked);
}

/** Without entries that are undefined: they would take the place of a default. */
function defined<T extends object>(values: T): { readonly [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}
