import type { CapabilityCatalogue } from '../capabilities/capability.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { FrameLimits } from '../frames/limits.js';
import type { Logger } from '../interfaces/logger.js';
import type { Platform } from '../interfaces/platform.js';
import { manifestDigest } from '../manifest/manifest-digest.js';
import type { Manifest } from '../manifest/manifest.js';
import { invalidManifest } from '../manifest/parse-manifest.js';
import { parseConfig } from '../manifest/validate-config.js';
import type { ValueCodec } from '../messages/codec.js';
import type { GrantStore } from '../policy/grant-store.js';
import type { Policy, TrustTier } from '../policy/policy.js';
import type { EventBus } from '../services/event-bus.js';
import { defaultTimings, type WorkerTimings } from '../worker/worker-options.js';
import type { Audit } from './audit.js';
import { Authority } from './authority.js';
import type { Broker } from './broker.js';
import { checkManifest } from './check-manifest.js';
import type { HostOptions, InstallOptions } from './host-options.js';
import type { Notifier } from './notifications.js';
import { Plugin } from './plugin.js';
import { logPluginLine } from './plugin-log.js';
import type { PluginSource } from './plugin-source.js';
import { PluginSubscriptions } from './plugin-subscriptions.js';
import { redactor } from './redact.js';
import { SettledCalls } from './settled-calls.js';
import { Supervisor } from './supervisor.js';

/** A plugin as the host keeps it. */
export interface InstalledPlugin {
  readonly plugin: Plugin;
  readonly supervisor: Supervisor;
  readonly redact: (text: string) => string;
  /** The same for the same manifest, content, trust and configuration. */
  readonly fingerprint: string;
}

/** What the plugins of one host share. */
export interface HostParts {
  readonly options: HostOptions;
  readonly platform: Platform;
  readonly catalogue: CapabilityCatalogue;
  readonly createId: () => string;
  readonly notifier: Notifier;
  readonly logger: Logger;
  readonly audit: Audit;
  readonly bus: EventBus;
  readonly broker: Broker;
  readonly grantStore: GrantStore;
  readonly policy: Policy;
  readonly codec: ValueCodec;
  readonly frameLimits: FrameLimits;
}

/** Hook time and concurrency of the host project, by trust tier. */
const tierLimits: Readonly<Record<TrustTier, { readonly hookTimeoutMs: number; readonly maxConcurrency: number }>> = {
  official: { hookTimeoutMs: 30_000, maxConcurrency: 25 },
  community: { hookTimeoutMs: 10_000, maxConcurrency: 10 },
  unverified: { hookTimeoutMs: 10_000, maxConcurrency: 10 },
};

/** Checks a plugin and makes its parts. Starts nothing. @throws INVALID_MANIFEST, INVALID_CONFIG, INVALID_ARGUMENT */
export function installPlugin(host: HostParts, source: PluginSource, install: InstallOptions): InstalledPlugin {
  const { options, platform, createId, notifier, logger, audit, broker } = host;
  const { trust = 'unverified' } = install;
  if (!Object.hasOwn(tierLimits, trust)) throw new WorkerRuntimeError('INVALID_ARGUMENT', `"${trust}" is not a trust tier: use official, community or unverified.`);
  const { manifest, problems } = checkManifest(source, host.catalogue);
  if (manifest === undefined) throw invalidManifest(problems, source.manifestFileName);
  const { config, secretKeys } = parseConfig(manifest.configSchema, install.config ?? {});
  const redact = redactor(config, secretKeys);
  const digest = manifestDigest(bytesOf(source.manifest), platform.crypto);
  const subject = { pluginId: manifest.id, manifestDigest: digest, ...(source.contentDigest === undefined ? {} : { contentDigest: source.contentDigest }) };

  const authority = new Authority({
    clock: platform.clock,
    createId,
    policy: host.policy,
    catalogue: host.catalogue,
    offered: broker.offered,
    store: host.grantStore,
    audit,
    subject,
    trust,
    requests: manifest.requests,
  });
  const client = { id: manifest.id, authority };
  const subscriptions = new PluginSubscriptions(host.bus, () => supervisor.worker, options.limits?.maxSubscriptions ?? 256);
  const supervisor: Supervisor = new Supervisor({
    platform,
    codec: host.codec,
    createId,
    manifest,
    directory: source.directory,
    trust,
    launcher: source.launcher ?? options.launcher,
    config,
    secretConfigKeys: secretKeys,
    authority,
    subscriptions,
    settledCalls: new SettledCalls(),
    frameLimits: host.frameLimits,
    timings: timingsFor(manifest, trust, { ...options.timings, ...install.timings }),
    maxConcurrency: install.limits?.maxConcurrency ?? options.limits?.maxConcurrency ?? Math.min(manifest.limits.maxConcurrency ?? Number.POSITIVE_INFINITY, tierLimits[trust].maxConcurrency),
    maxIncomingCalls: options.limits?.maxIncomingCalls ?? 256,
    maxQueuedBytes: options.limits?.maxQueuedBytes ?? 32 * 1024 * 1024,
    debug: options.debug ?? false,
    redact,
    workerHandlers: {
      onRequest: (worker, call) => broker.handle(client, worker, call),
      onOneWay: (worker, method, params) => broker.handleOneWay(client, worker, method, params),
      onOutput: (worker, { source: stream, text, truncated }) =>
        logPluginLine({ notifier, logger, redact }, {
          plugin: manifest.id,
          worker: worker.id,
          level: stream === 'stderr' ? 'warn' : 'info',
          message: text,
          fields: truncated ? { truncated } : {},
          source: stream,
        }),
      onViolation: (worker, error) => {
        audit.record({ kind: 'violation', pluginId: manifest.id, workerId: worker.id, code: error.code, message: error.message });
        notifier.emit('worker.violation', { plugin: manifest.id, worker: worker.id, error });
      },
    },
    onPluginState: (from, to, reason, generation) => {
      audit.record({ kind: 'lifecycle', pluginId: manifest.id, from, to, generation, reason });
      const level = to === 'quarantined' ? 'error' : 'info';
      logger[level]({ plugin: manifest.id, from, to, ...(reason === undefined ? {} : { reason }) }, `The plugin is ${to}.`);
      notifier.emit('plugin.state', { plugin: manifest.id, from, to, reason });
    },
    onWorkerState: (worker, from, to) =>
      notifier.emit('worker.state', { plugin: manifest.id, worker: worker.id, generation: worker.generation, from, to, reason: worker.reason }),
  });
  const fingerprint = JSON.stringify([digest, source.contentDigest ?? null, source.directory ?? null, trust, config]);
  return { plugin: new Plugin(supervisor), supervisor, redact, fingerprint };
}

/** The host's time limits; a manifest may ask for less, never for more. */
function timingsFor(manifest: Manifest, trust: TrustTier, overrides: Partial<WorkerTimings>): WorkerTimings {
  const timings = { ...defaultTimings, hookTimeoutMs: tierLimits[trust].hookTimeoutMs, ...overrides };
  return {
    ...timings,
    startTimeoutMs: Math.min(timings.startTimeoutMs, manifest.limits.startTimeoutMs ?? Number.POSITIVE_INFINITY),
    hookTimeoutMs: Math.min(timings.hookTimeoutMs, manifest.limits.hookTimeoutMs ?? Number.POSITIVE_INFINITY),
  };
}

function bytesOf(manifest: Uint8Array | string): Uint8Array {
  return typeof manifest === 'string' ? new TextEncoder().encode(manifest) : manifest;
}
