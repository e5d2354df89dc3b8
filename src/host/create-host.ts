import { builtinCapabilities } from '../capabilities/builtin-capabilities.js';
import { createCatalogue } from '../capabilities/catalogue.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { defaultFrameLimits } from '../frames/limits.js';
import { silentLogger } from '../interfaces/logger.js';
import { msgpackrCodec } from '../messages/codec.js';
import type { Grant } from '../policy/grant.js';
import { memoryGrantStore } from '../policy/grant-store.js';
import { EventBus } from '../services/event-bus.js';
import { memoryStorage } from '../services/memory-storage.js';
import { Audit, type AuditEntry, type AuditRecord } from './audit.js';
import { Broker } from './broker.js';
import { builtinServices } from './builtin-services.js';
import { idFactory } from './create-id.js';
import type { HostOptions, InstallOptions } from './host-options.js';
import { createHostEvents, type HostEvents } from './host-events.js';
import { installPlugin, type InstalledPlugin } from './install-plugin.js';
import { type HostNotifications, Notifier } from './notifications.js';
import type { Plugin } from './plugin.js';
import type { PluginSource } from './plugin-source.js';
import { proveGuards } from './start-up-proof.js';

/** The embedding side: it owns plugins, grants, the topic bus and the audit. */
export interface Host {
  /** The topic bus. */
  readonly events: HostEvents;
  /** The installed plugins. */
  readonly plugins: readonly Plugin[];
  /**
   * Installs a plugin from a path or a source; starts nothing. Installing the same manifest, content, trust and configuration again
   * returns the same handle; another version replaces one that is not running.
   * @throws INVALID_MANIFEST (details.problems), INVALID_CONFIG, INVALID_STATE, INVALID_ARGUMENT, HOST_STOPPED
   */
  install(source: string | PluginSource, options?: InstallOptions): Promise<Plugin>;
  /** Stops a plugin and forgets it, its subscriptions included. Its approvals stay in the store. */
  uninstall(pluginId: string): Promise<void>;
  /** The handle of an installed plugin. @throws PLUGIN_NOT_FOUND */
  plugin(pluginId: string): Plugin;
  /** The grants in force, of one plugin or of all. */
  grants(pluginId?: string): readonly Grant[];
  /** Takes a grant back: the next call feels it. @throws INVALID_ARGUMENT if no plugin has such a grant. */
  revoke(grantId: string, options: { readonly by: string; readonly reason?: string }): Promise<void>;
  /** Listens to the host's own notifications; returns the function that ends it. A listener that throws is logged and harms nobody. */
  on<Name extends keyof HostNotifications>(name: Name, listener: (notification: HostNotifications[Name]) => void): () => void;
  /** The audit records in memory (the newest 10,000), oldest first. */
  audit(filter?: { readonly pluginId?: string; readonly kind?: AuditEntry['kind'] }): readonly AuditRecord[];
  /** Stops all plugins, in parallel, and the host. Idempotent. */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a host. Platform-neutral: on Node use `createNodeHost` of the `/node` entry, which wires clock, randomness, launcher and files.
 * @throws UNKNOWN_CAPABILITY, UNUSED_CAPABILITY, UNGUARDED_METHOD, INVALID_ARGUMENT if services and capabilities do not fit each other.
 */
export function createHost(options: HostOptions): Host {
  const { platform } = options;
  const logger = options.logger ?? silentLogger;
  const catalogue = options.catalogue ?? createCatalogue(builtinCapabilities);
  const createId = idFactory(platform.random);
  const notifier = new Notifier(logger);
  const installed = new Map<string, InstalledPlugin>();
  let stopping: Promise<void> | undefined;

  const audit = new Audit(platform.clock, (record) => {
    notifier.emit('audit', record);
    try {
      options.onAudit?.(record);
    } catch (error) {
      logger.error({ err: error }, 'The sink of the audit failed.');
    }
  });
  const bus = new EventBus(logger);
  const events = createHostEvents(bus, platform.clock, createId);
  const services = [
    ...builtinServices({ installed, events, notifier, logger, storage: options.storage ?? memoryStorage(), routeMessage: options.routeMessage }),
    ...(options.services ?? []),
  ];
  proveGuards(services, catalogue);
  const broker = new Broker({ services, audit, createId, logger });

  const shared = {
    options,
    platform,
    catalogue,
    createId,
    notifier,
    logger,
    audit,
    bus,
    broker,
    grantStore: options.grantStore ?? memoryGrantStore(),
    policy: options.policy ?? { rules: [] },
    codec: options.codec ?? msgpackrCodec(),
    frameLimits: { ...defaultFrameLimits, ...options.frameLimits },
  };

  const host: Host = {
    events,
    get plugins() {
      return [...installed.values()].map(({ plugin }) => plugin);
    },
    async install(source, installOptions = {}) {
      assertRunning();
      const read = typeof source === 'string' ? await readSource(source) : source;
      assertRunning();
      const candidate = installPlugin(shared, read, installOptions);
      const { id } = candidate.plugin;
      const present = installed.get(id);
      if (present?.fingerprint === candidate.fingerprint) return present.plugin;
      if (present !== undefined && !['idle', 'pending', 'quarantined', 'disabled'].includes(present.plugin.state)) {
        throw new WorkerRuntimeError('INVALID_STATE', `"${id}" is ${present.plugin.state}; stop it before another version or configuration is installed.`);
      }
      present?.supervisor.subscriptions.close();
      installed.set(id, candidate);
      return candidate.plugin;
    },
    async uninstall(pluginId) {
      await host.plugin(pluginId).stop({ reason: 'The plugin is uninstalled.' });
      installed.delete(pluginId);
    },
    plugin(pluginId) {
      const found = installed.get(pluginId);
      if (found === undefined) throw new WorkerRuntimeError('PLUGIN_NOT_FOUND', `No plugin "${pluginId}" is installed.`);
      return found.plugin;
    },
    grants: (pluginId) => [...installed.values()].filter(({ plugin }) => pluginId === undefined || plugin.id === pluginId).flatMap(({ plugin }) => plugin.grants),
    async revoke(grantId, { by, reason }) {
      for (const { supervisor } of installed.values()) {
        if (await supervisor.authority.revoke(grantId, by, reason)) return supervisor.announceGrants();
      }
      throw new WorkerRuntimeError('INVALID_ARGUMENT', `No plugin has a grant "${grantId}"; host.grants() lists them.`);
    },
    on: (name, listener) => notifier.on(name, listener),
    audit: (filter) => audit.records(filter),
    stop({ graceMs } = {}) {
      stopping ??= (async () => {
        await Promise.all([...installed.values()].map(({ supervisor }) => supervisor.stop('The host is stopping.', graceMs)));
        bus.close();
        audit.flush();
        notifier.close();
      })();
      return stopping;
    },
    [Symbol.asyncDispose]: () => host.stop(),
  };
  return host;

  function assertRunning(): void {
    if (stopping !== undefined) throw new WorkerRuntimeError('HOST_STOPPED', 'The host is stopping or was stopped; make a new one.');
  }

  function readSource(path: string): Promise<PluginSource> {
    if (options.readSource === undefined) {
      throw new WorkerRuntimeError('INVALID_ARGUMENT', 'This host cannot read folders; pass a PluginSource, or use createNodeHost.');
    }
    return options.readSource(path);
  }
}
