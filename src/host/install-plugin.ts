import type { CapabilityCatalogue } from '../capabilities/capability.js';
import type { FrameLimits } from '../frames/limits.js';
import type { Launcher } from '../interfaces/launcher.js';
import type { Logger } from '../interfaces/logger.js';
import type { Platform } from '../interfaces/platform.js';
import { manifestDigest } from '../manifest/manifest-digest.js';
import { invalidManifest } from '../manifest/parse-manifest.js';
import { parseConfig } from '../manifest/validate-config.js';
import type { ValueCodec } from '../messages/codec.js';
import { withoutSecrets } from '../plugin/handler-error.js';
import type { GrantStore } from '../policy/grant-store.js';
import type { Policy } from '../policy/policy.js';
import type { EventBus } from '../services/event-bus.js';
import type { Audit } from './audit.js';
import { Authority } from './authority.js';
import type { Broker, BrokerClient } from './broker.js';
import { checkManifest } from './check-manifest.js';
import type { DialInOptions } from './dial-in/dial-in-options.js';
import { DialInPort } from './dial-in/dial-in-port.js';
import type { HostOptions, InstallOptions } from './host-options.js';
import { assertTrustTier, limitsFor, timingsFor } from './limits.js';
import type { Notifier } from './notifications.js';
import { PluginLog } from './plugin-log.js';
import type { PluginSource } from './plugin-source.js';
import { PluginSubscriptions } from './plugin-subscriptions.js';
import { secretRedactor } from './secret-redactor.js';
import { Supervisor } from './supervisor.js';
import type { SupervisorOptions } from './supervisor-options.js';

/** A version of a plugin as the host keeps it. */
export interface PluginVersion {
  readonly id: string;
  readonly supervisor: Supervisor;
  readonly log: PluginLog;
  readonly launcher: Launcher | undefined;
  /** Where its workers that dial in are handed over. */
  readonly dialIns: DialInPort;
  readonly manifestDigest: string;
  /** The same for the same manifest, content, trust, configuration and limits. */
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
  readonly dialInLimits: Required<DialInOptions>;
}

/** How a version comes about. */
export interface InstallContext {
  /** Of the version that this one follows. */
  lastGeneration(pluginId: string): number;
  /** The manifest was brought by a worker: whatever it says, the host starts nothing of it by itself. */
  readonly onlyDialsIn: boolean;
}

/**
 * Checks a plugin and makes its parts. Starts nothing.
 * @throws INVALID_MANIFEST, INVALID_CONFIG, INVALID_ARGUMENT
 */
export function installPlugin(
  host: HostParts,
  source: PluginSource,
  install: InstallOptions,
  { lastGeneration, onlyDialsIn }: InstallContext,
): PluginVersion {
  const { options, platform, createId, notifier, logger, audit, broker, catalogue } = host;
  const { clock } = platform;
  const { trust = 'unverified' } = install;
  assertTrustTier(trust);
  const { manifest, problems } = checkManifest(source, catalogue);
  if (manifest === undefined) throw invalidManifest(problems, source.manifestFileName);
  const limits = limitsFor(trust, manifest, { ...options.limits, ...install.limits });
  const timings = timingsFor(trust, manifest, { ...options.timings, ...install.timings });
  const { config, secretKeys } = parseConfig(manifest.configSchema, install.config ?? {});
  const redactor = secretRedactor(config, secretKeys);
  const bytes = typeof source.manifest === 'string' ? new TextEncoder().encode(source.manifest) : source.manifest;
  const digest = manifestDigest(bytes, platform.crypto);
  const subject = {
    pluginId: manifest.id,
    manifestDigest: digest,
    ...(source.contentDigest === undefined ? {} : { contentDigest: source.contentDigest }),
  };
  const log = new PluginLog({ pluginId: manifest.id, clock, notifier, logger, redactor, maxLinesPerMinute: limits.maxLogLinesPerMinute });

  const authority = new Authority({
    clock,
    createId,
    policy: host.policy,
    catalogue,
    offered: broker.offered,
    store: host.grantStore,
    audit,
    subject,
    trust,
    requests: manifest.requests,
  });
  const client: BrokerClient = { id: manifest.id, authority, log };
  const subscriptions = new PluginSubscriptions({
    pluginId: manifest.id,
    bus: host.bus,
    maxSubscriptions: limits.maxSubscriptions,
    currentWorker: () => supervisor.worker,
    wallTime: () => platform.clock.wallTime(),
    isGranted: (pattern) => broker.wouldAllow(client, 'events.subscribe', { pattern }),
    onRevoked: (pattern) => log.report('info', { pattern }, 'A subscription was ended: no grant covers it any more.'),
  });
  const launcher = source.launcher ?? options.launcher;
  const dialIns = new DialInPort(platform, host.dialInLimits);
  const supervisor: Supervisor = new Supervisor({
    platform,
    workers: {
      codec: host.codec,
      timings,
      maxIncomingCalls: limits.maxIncomingCalls,
      maxQueuedBytes: limits.maxQueuedBytes,
      clean: (text) => log.clean(text),
      withoutSecrets: (error) => withoutSecrets(error, redactor),
    },
    createId,
    manifest,
    isUnchanged: checkOf(source),
    directory: source.directory,
    trust,
    launcher: source.launcher ?? (onlyDialsIn || manifest.runtime?.type === 'external' ? dialIns : options.launcher),
    dialIns,
    config,
    secretConfigKeys: secretKeys,
    authority,
    subscriptions,
    log,
    redactor,
    frameLimits: host.frameLimits,
    handlerTimeoutMs: limits.handlerTimeoutMs,
    maxConcurrency: limits.maxConcurrency,
    debug: options.debug ?? false,
    lastGeneration: lastGeneration(manifest.id),
    workerHandlers: workerHandlers(host, client),
    onPluginState: (from, to, reason, generation) => {
      audit.record({ kind: 'lifecycle', pluginId: manifest.id, from, to, generation, reason });
      const level = to === 'quarantined' ? 'error' : 'info';
      logger[level]({ plugin: manifest.id, from, to, ...(reason === undefined ? {} : { reason }) }, `The plugin is ${to}.`);
      notifier.emit('plugin.state', { plugin: manifest.id, from, to, reason });
    },
    onWorkerState: (worker, from, to) =>
      notifier.emit('worker.state', { plugin: manifest.id, worker: worker.id, generation: worker.generation, from, to, reason: worker.reason }),
  });
  const fingerprint = JSON.stringify([digest, source.contentDigest, source.directory, onlyDialsIn, trust, config, limits, timings]);
  return { id: manifest.id, supervisor, log, launcher, dialIns, manifestDigest: digest, fingerprint };
}

function workerHandlers({ audit, broker, notifier }: HostParts, client: BrokerClient): SupervisorOptions['workerHandlers'] {
  const { id: pluginId, log } = client;
  return {
    onRequest: (worker, call) => broker.handle(client, worker, call),
    onOneWay: (worker, method, params) => broker.handleOneWay(client, worker, method, params),
    onOutput: (worker, { source, text, truncated }) =>
      log.write({ worker: worker.id, level: source === 'stderr' ? 'warn' : 'info', message: text, fields: truncated ? { truncated } : {}, source }),
    onViolation: (worker, error) => {
      audit.record({ kind: 'violation', pluginId, workerId: worker.id, code: error.code, message: log.clean(error.message) });
      notifier.emit('worker.violation', { plugin: pluginId, worker: worker.id, error });
    },
    onStragglers: ({ id: workerId, generation }, { killed, left }) => {
      audit.record({ kind: 'stragglers', pluginId, workerId, generation, killed, left });
      const message =
        left > 0 ? 'Processes that the worker had started are still running.' : 'Processes that the worker had started outlived it and were ended.';
      log.report(left > 0 ? 'error' : 'info', { worker: workerId, killed, left }, message);
    },
  };
}

/** How it is checked before each start that the content is still the one that was installed. What cannot be read has changed. */
function checkOf({ contentDigest, readContentDigest }: PluginSource): (() => Promise<boolean>) | undefined {
  if (contentDigest === undefined || readContentDigest === undefined) return undefined;
  return () =>
    readContentDigest().then(
      (digest) => digest === contentDigest,
      () => false,
    );
}
