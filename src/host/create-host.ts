import { builtinCapabilities } from '../capabilities/builtin-capabilities.js';
import { createCatalogue } from '../capabilities/catalogue.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { defaultFrameLimits } from '../frames/limits.js';
import { silentLogger } from '../interfaces/logger.js';
import type { Transport } from '../interfaces/transport.js';
import { invalidManifest } from '../manifest/parse-manifest.js';
import { strictCodec } from '../messages/strict-codec/strict-codec.js';
import type { Grant } from '../policy/grant.js';
import { memoryGrantStore } from '../policy/grant-store.js';
import { EventBus } from '../services/event-bus.js';
import { memoryStorage } from '../services/memory-storage.js';
import { Audit, type AuditEntry, type AuditRecord } from './audit.js';
import { Broker } from './broker.js';
import { builtinServices } from './builtin-services.js';
import { checkManifest } from './check-manifest.js';
import { idFactory } from './create-id.js';
import { DialIn, type HostListener } from './dial-in/dial-in.js';
import { resolveDialInOptions } from './dial-in/dial-in-options.js';
import type { IssuedToken, IssueTokenOptions, TokenInspection } from './dial-in/tokens.js';
import { guardedLogger } from './guarded-logger.js';
import { createHostEvents, type HostEvents } from './host-events.js';
import type { HostOptions, InstallOptions } from './host-options.js';
import { installPlugin, type PluginVersion } from './install-plugin.js';
import { assertHostOptions, assertInstallOptions, assertNotification, assertTokenOptions } from './known-options.js';
import { assertGrace } from './limits.js';
import { type HostNotifications, Notifier } from './notifications.js';
import { Plugin } from './plugin.js';
import type { FileUrl, PluginSource } from './plugin-source.js';
import { readSource } from './read-source.js';
import { proveGuards } from './start-up-proof.js';

/** The embedding side: it owns plugins, grants, the topic bus and the audit. */
export interface Host {
  /** The topic bus. */
  readonly events: HostEvents;
  /** The installed plugins. */
  readonly plugins: readonly Plugin[];
  /**
   * Installs a plugin from a path or a source; starts nothing. Installing the same manifest, content, trust, configuration and limits again changes
   * nothing; another version takes the place of one that is not running. Either way the plugin's handle stays the same.
   * Rejects with INVALID_MANIFEST (details.problems), INVALID_CONFIG, INVALID_STATE, INVALID_ARGUMENT, HOST_STOPPED
   */
  install(source: string | FileUrl | PluginSource, options?: InstallOptions): Promise<Plugin>;
  /**
   * Runs the plugin's uninstall hook if it is active, stops it and forgets it, its subscriptions included. Its approvals stay in the store, and its
   * data in the storage. Rejects with PLUGIN_NOT_FOUND.
   */
  uninstall(pluginId: string): Promise<void>;
  /** The handle of an installed plugin. @throws PLUGIN_NOT_FOUND */
  plugin(pluginId: string): Plugin;
  /** The grants in force, of one plugin or of all. */
  grants(pluginId?: string): readonly Grant[];
  /**
   * Takes a grant back: the next call feels it, and subscriptions that rest on it end. One that a rule of the policy gave stays revoked until it is
   * approved or the plugin is installed anew; to take it back for good change the rule. Rejects with INVALID_ARGUMENT if no plugin has such a grant.
   */
  revoke(grantId: string, options: { readonly by: string; readonly reason?: string }): Promise<void>;
  /**
   * Listens for workers and controllers that connect by themselves (docs/protocol.md, section 13). Whoever connects needs a token, and waits at a gate
   * that is bounded in number, bytes and time (`dialIn` of the options). Rejects with what the transport rejects with, or HOST_STOPPED.
   */
  listen(transport: Transport, address: string): Promise<HostListener>;
  /**
   * Issues a registration token: for workers of one plugin, or for a controller. The secret is told here and never again. A worker may dial in whether
   * or not the plugin's manifest says `runtime.type: external`, if the plugin has no other worker.
   * @throws INVALID_ARGUMENT
   */
  issueToken(options: IssueTokenOptions): IssuedToken;
  /** The tokens that are still good for something, oldest first. */
  readonly tokens: readonly TokenInspection[];
  /**
   * Takes a token back, and ends the controllers that came with it. Workers that registered with it stay: stop their plugin to be rid of them.
   * @throws INVALID_ARGUMENT if there is no such token.
   */
  revokeToken(id: string, options?: { readonly by?: string }): void;
  /** Listens to the host's own notifications; returns the function that ends it. A listener that throws is logged and harms nobody. */
  on<Name extends keyof HostNotifications>(name: Name, listener: (notification: HostNotifications[Name]) => void): () => void;
  /** The audit records in memory (the newest 10,000), oldest first. */
  audit(filter?: { readonly pluginId?: string; readonly kind?: AuditEntry['kind'] }): readonly AuditRecord[];
  /** Stops all plugins, in parallel, and the host: nothing of it is left. Again: waits for the same end, with the shorter grace. Rejects with INVALID_ARGUMENT. */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
  /** The same as `stop()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The place of a plugin: its handle stays, whichever version is behind it. */
interface PluginSlot {
  readonly plugin: Plugin;
  version: PluginVersion;
}

/**
 * Makes a host. Platform-neutral: on Node use `createNodeHost` of the `/node` entry, which wires clock, randomness, launcher and files.
 * @throws UNKNOWN_CAPABILITY, UNUSED_CAPABILITY, UNGUARDED_METHOD, INVALID_ARGUMENT if services and capabilities do not fit each other.
 */
export function createHost(options: HostOptions): Host {
  assertHostOptions(options);
  const { platform } = options;
  const logger = guardedLogger(options.logger ?? silentLogger);
  const catalogue = options.catalogue ?? createCatalogue(builtinCapabilities);
  const createId = idFactory(platform.random);
  const notifier = new Notifier(logger);
  const installed = new Map<string, PluginSlot>();
  let stopping: Promise<void> | undefined;

  const sinkFailed = (error: unknown): void => logger.error({ err: error }, 'The sink of the audit failed.');
  const audit = new Audit(platform.clock, (record) => {
    try {
      // A sink may be async without anybody saying so.
      const returned: unknown = options.onAudit?.(record);
      Promise.resolve(returned).catch(sinkFailed);
    } catch (error) {
      sinkFailed(error);
    }
    notifier.emit('audit', record);
  });
  const bus = new EventBus(logger);
  const events = createHostEvents(bus, platform.clock, createId);
  const services = [
    ...builtinServices({
      version: (pluginId) => slotOf(pluginId).version,
      events,
      notifier,
      storage: options.storage ?? memoryStorage(),
      routeMessage: options.routeMessage,
    }),
    ...(options.services ?? []),
  ];
  proveGuards(services, catalogue);
  const broker = new Broker({ services, audit, createId });

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
    codec: options.codec ?? strictCodec(),
    frameLimits: { ...defaultFrameLimits, ...options.frameLimits },
    dialInLimits: resolveDialInOptions(options.dialIn),
  };
  const dialIn = new DialIn({
    ...shared,
    limits: shared.dialInLimits,
    heartbeatMs: options.timings?.heartbeatMs,
    debug: options.debug ?? false,
    find: (pluginId) => installed.get(pluginId)?.version,
    installedIds: () => installed.keys(),
    idOf(manifestText) {
      const { manifest, problems } = checkManifest({ manifest: manifestText }, catalogue);
      if (manifest === undefined) throw invalidManifest(problems, undefined);
      return manifest.id;
    },
    install: (manifest, installOptions) => void place({ manifest }, installOptions, true),
  });

  const host: Host = {
    events,
    get plugins() {
      return [...installed.values()].map(({ plugin }) => plugin);
    },
    async install(source, installOptions = {}) {
      assertRunning();
      assertInstallOptions(installOptions);
      return place(await readSource(source, options.readSource), installOptions);
    },
    async uninstall(pluginId) {
      const slot = slotOf(pluginId);
      const { supervisor, log } = slot.version;
      await supervisor.runHook('plugin.uninstall').catch((error: unknown) => log.report('warn', { err: error }, 'The uninstall hook failed.'));
      await supervisor.close({ code: 'PLUGIN_NOT_FOUND', message: `"${pluginId}" was uninstalled.` });
      if (installed.get(pluginId) === slot) installed.delete(pluginId);
    },
    plugin: (pluginId) => slotOf(pluginId).plugin,
    grants: (pluginId) =>
      [...installed.values()].filter(({ plugin }) => pluginId === undefined || plugin.id === pluginId).flatMap(({ plugin }) => plugin.grants),
    async revoke(grantId, { by, reason }) {
      for (const { version } of installed.values()) {
        const { authority } = version.supervisor;
        if (!authority.grants.some(({ id }) => id === grantId)) continue;
        // The worker is told although the store may fail: the door is shut by then.
        const revoked = authority.revoke(grantId, by, reason);
        version.supervisor.announceGrants();
        await revoked;
        return;
      }
      throw new WorkerRuntimeError('INVALID_ARGUMENT', `No plugin has a grant "${grantId}"; host.grants() lists them.`);
    },
    async listen(transport, address) {
      assertRunning();
      return dialIn.listen(transport, address);
    },
    issueToken(tokenOptions) {
      assertRunning();
      assertTokenOptions(tokenOptions);
      return dialIn.tokens.issue(tokenOptions);
    },
    get tokens() {
      return dialIn.tokens.list();
    },
    revokeToken: (id, { by = 'host' } = {}) => dialIn.revoke(id, by),
    on(name, listener) {
      assertNotification(name);
      return notifier.on(name, listener);
    },
    audit: (filter) => audit.records(filter),
    async stop({ graceMs } = {}) {
      assertGrace(graceMs);
      const end = { code: 'HOST_STOPPED', message: 'The host is stopping or was stopped.' } as const;
      dialIn.shut();
      const closed = Promise.all([dialIn.close(), ...[...installed.values()].map(({ version }) => version.supervisor.close(end, graceMs))]);
      stopping ??= closed.then(() => {
        bus.close();
        audit.close();
        notifier.close();
      });
      await stopping;
    },
    [Symbol.asyncDispose]: () => host.stop(),
  };
  return host;

  /** @param onlyDialsIn what the host itself may start somebody else must have put there. */
  function place(source: PluginSource, installOptions: InstallOptions, onlyDialsIn = false): Plugin {
    assertRunning();
    const lastGeneration = (id: string): number => installed.get(id)?.version.supervisor.generation ?? 0;
    const candidate = installPlugin(shared, source, installOptions, { lastGeneration, onlyDialsIn });
    const slot = installed.get(candidate.id);
    if (slot === undefined) {
      const made: PluginSlot = { version: candidate, plugin: new Plugin(() => made.version.supervisor) };
      installed.set(candidate.id, made);
      return made.plugin;
    }
    if (slot.version.fingerprint === candidate.fingerprint && slot.version.launcher === candidate.launcher) return slot.plugin;
    const { supervisor } = slot.version;
    if (!supervisor.resting) {
      throw new WorkerRuntimeError(
        'INVALID_STATE',
        `"${candidate.id}" is ${supervisor.state}; stop it before another version or configuration is installed.`,
      );
    }
    slot.version = candidate;
    // Nothing runs, so that nothing is waited for.
    void supervisor.close({ code: 'PLUGIN_NOT_FOUND', message: `Another version of "${candidate.id}" has taken the place of this one.` });
    return slot.plugin;
  }

  function slotOf(pluginId: string): PluginSlot {
    const slot = installed.get(pluginId);
    if (slot === undefined) throw new WorkerRuntimeError('PLUGIN_NOT_FOUND', `No plugin "${pluginId}" is installed.`);
    return slot;
  }

  function assertRunning(): void {
    if (stopping !== undefined) throw new WorkerRuntimeError('HOST_STOPPED', 'The host is stopping or was stopped; make a new one.');
  }
}
