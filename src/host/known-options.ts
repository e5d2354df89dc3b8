import { nearest } from '../errors/nearest.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { WorkerTimings } from '../worker/worker-options.js';
import { type DialInOptions, dialInOptionNames } from './dial-in/dial-in-options.js';
import type { ControllerTokenOptions, IssueTokenOptions, WorkerTokenOptions } from './dial-in/tokens.js';
import type { HostOptions, InstallOptions } from './host-options.js';
import type { HostLimits } from './limits.js';
import type { HostNotifications } from './notifications.js';

// Written as records, so that a new option that is missing here does not compile.
const hostOptions: Record<keyof HostOptions, true> = {
  platform: true,
  launcher: true,
  policy: true,
  catalogue: true,
  grantStore: true,
  logger: true,
  services: true,
  routeMessage: true,
  storage: true,
  onAudit: true,
  timings: true,
  limits: true,
  dialIn: true,
  frameLimits: true,
  codec: true,
  debug: true,
  readSource: true,
};
const installOptions: Record<keyof InstallOptions, true> = { trust: true, config: true, limits: true, timings: true };
const limits: Record<keyof HostLimits, true> = {
  maxConcurrency: true,
  handlerTimeoutMs: true,
  maxLogLinesPerMinute: true,
  maxIncomingCalls: true,
  maxQueuedBytes: true,
  maxSubscriptions: true,
};
const timings: Record<keyof WorkerTimings, true> = {
  startTimeoutMs: true,
  hookTimeoutMs: true,
  graceMs: true,
  exitTimeoutMs: true,
  killTimeoutMs: true,
  heartbeatMs: true,
  stallTimeoutMs: true,
};
const workerToken: Record<keyof WorkerTokenOptions, true> = { role: true, plugin: true, install: true, uses: true, expiresInMs: true, by: true };
const controllerToken: Record<keyof ControllerTokenOptions, true> = {
  role: true,
  plugins: true,
  name: true,
  uses: true,
  expiresInMs: true,
  by: true,
};
const notifications: Record<keyof HostNotifications, true> = {
  'plugin.state': true,
  'worker.state': true,
  'plugin.log': true,
  'plugin.health': true,
  'worker.violation': true,
  audit: true,
};

/** A misspelt option would be ignored without a word, and a policy that is ignored grants nothing. @throws INVALID_ARGUMENT */
export function assertHostOptions(options: HostOptions): void {
  assertKnown('createHost', options, hostOptions);
  assertKnown('dialIn', (options.dialIn ?? {}) satisfies DialInOptions, dialInOptionNames);
  assertLimitsAndTimings(options);
}

/** The same for `host.install`. @throws INVALID_ARGUMENT */
export function assertInstallOptions(options: InstallOptions): void {
  assertKnown('install', options, installOptions);
  assertLimitsAndTimings(options);
}

/** The same for `host.issueToken`. @throws INVALID_ARGUMENT */
export function assertTokenOptions(options: IssueTokenOptions): void {
  const role: unknown = options?.role ?? 'worker';
  if (role !== 'worker' && role !== 'controller') throw new WorkerRuntimeError('INVALID_ARGUMENT', 'issueToken: role must be worker or controller.');
  assertKnown('issueToken', options, role === 'controller' ? controllerToken : workerToken);
  if (role === 'controller' && !Array.isArray((options as ControllerTokenOptions).plugins))
    throw new WorkerRuntimeError('INVALID_ARGUMENT', 'issueToken: plugins must be a list of ids.');
  if (options.role !== 'controller' && options.install !== undefined) assertInstallOptions(options.install);
}

/** The same for `host.on`. @throws INVALID_ARGUMENT */
export function assertNotification(name: string): void {
  assertKnown('host.on', { [name]: true }, notifications);
}

function assertLimitsAndTimings(options: InstallOptions): void {
  assertKnown('limits', options.limits ?? {}, limits);
  assertKnown('timings', options.timings ?? {}, timings);
}

function assertKnown(where: string, given: object, known: Readonly<Record<string, true>>): void {
  if (typeof given !== 'object' || given === null) throw new WorkerRuntimeError('INVALID_ARGUMENT', `${where} takes an object.`);
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue;
    const names = Object.keys(known);
    const meant = nearest(name, names);
    const repair = meant === undefined ? `It knows ${names.join(', ')}.` : `Did you mean "${meant}"?`;
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `${where} does not know "${name.slice(0, 100)}". ${repair}`);
  }
}
