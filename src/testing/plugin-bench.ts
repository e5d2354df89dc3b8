import type { CapabilityCatalogue, CapabilityRequest } from '../capabilities/capability.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { defaultFrameLimits } from '../frames/limits.js';
import { Audit } from '../host/audit.js';
import { Authority } from '../host/authority.js';
import { Broker } from '../host/broker.js';
import { idFactory } from '../host/create-id.js';
import { Notifier } from '../host/notifications.js';
import { PluginLog } from '../host/plugin-log.js';
import type { ValueCodec } from '../messages/codec.js';
import { Redactor } from '../plugin/redactor.js';
import { topicMatcher } from '../plugin/topic-pattern.js';
import { memoryGrantStore } from '../policy/grant-store.js';
import { acceptHandshake, noReceiver } from '../session/handshake.js';
import { MessageConnection } from '../session/message-connection.js';
import { Session } from '../session/session.js';
import type { MemoryLauncher } from './memory-launcher.js';
import type { Denial, LoggedLine, PublishedEvent, ReportedProgress, ServiceStub } from './plugin-records.js';
import type { SimulatedPlatform } from './simulated-platform.js';
import { stubbedServices } from './stubbed-services.js';

/** What a bench is made of. */
export interface PluginBenchOptions {
  readonly platform: SimulatedPlatform;
  readonly codec: ValueCodec;
  readonly catalogue: CapabilityCatalogue;
  readonly id: string;
  readonly version: string;
  readonly requests: readonly CapabilityRequest[];
  readonly stubs: Readonly<Record<string, ServiceStub>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly secretConfigKeys: readonly string[];
  readonly maxConcurrency: number;
}

const graceMs = 10_000;

/** The host's side of a plugin under test: the real door and the real policy, over services in memory, and no more of a host than that. */
export class PluginBench {
  readonly denials: Denial[] = [];
  readonly logs: LoggedLine[] = [];
  readonly published: PublishedEvent[] = [];
  readonly progress: ReportedProgress[] = [];
  readonly #options: PluginBenchOptions;
  readonly #createId: () => string;
  readonly #patterns = new Map<string, (topic: string) => boolean>();
  readonly #audit: Audit;
  readonly #authority: Authority;
  readonly #broker: Broker;
  readonly #log: PluginLog;
  #session: Session | undefined;

  constructor(options: PluginBenchOptions) {
    const { platform, catalogue, id, requests } = options;
    this.#options = options;
    this.#createId = idFactory(platform.random);
    this.#audit = new Audit(platform.clock, (record) => {
      if (record.kind === 'decision') this.denials.push({ capability: record.capability, scope: record.missing, method: record.method });
    });
    const services = stubbedServices(options.stubs, {
      config: options.config,
      onLog: ({ level, message, fields }) => this.logs.push({ level, message, fields: fields ?? {} }),
      publish: (event) => {
        this.published.push(event);
        return this.#createId();
      },
      subscribe: (pattern) => void this.#patterns.set(pattern, topicMatcher(pattern)),
      unsubscribe: (pattern) => void this.#patterns.delete(pattern),
    });
    this.#broker = new Broker({ services, audit: this.#audit, createId: this.#createId });
    // What the host itself has to say about the plugin, as the failure of a stub, stands among the plugin's own lines.
    const line = (level: LoggedLine['level']) => (fields: LoggedLine['fields'], message: string) => void this.logs.push({ level, message, fields });
    const logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
    this.#log = new PluginLog({
      pluginId: id,
      clock: platform.clock,
      notifier: new Notifier(logger),
      logger,
      redactor: new Redactor(options.config, options.secretConfigKeys),
      maxLinesPerMinute: Number.POSITIVE_INFINITY,
    });
    this.#authority = new Authority({
      clock: platform.clock,
      createId: this.#createId,
      policy: { rules: [] },
      catalogue,
      // A test may grant what only a stub, or nothing yet, guards.
      offered: new Set(catalogue.names),
      store: memoryGrantStore(),
      audit: this.#audit,
      subject: { pluginId: id, manifestDigest: '0'.repeat(64) },
      trust: 'unverified',
      requests,
    });
  }

  /** @throws INVALID_STATE before the plugin was started. */
  get session(): Session {
    if (this.#session === undefined) throw new WorkerRuntimeError('INVALID_STATE', 'The plugin has not been started.');
    return this.#session;
  }

  /** Grants all that was asked for and is not granted. */
  async grantAll(): Promise<void> {
    await this.#authority.approve({ by: 'the test' });
    this.#announceGrants();
  }

  async deny(capability: string): Promise<void> {
    const grants = this.#authority.grants.filter((grant) => grant.capability === capability);
    if (grants.length === 0)
      throw new WorkerRuntimeError('INVALID_ARGUMENT', `The plugin has no grant for ${capability}: what needs it is denied as it is.`);
    for (const { id } of grants) await this.#authority.revoke(id, 'the test');
    this.#announceGrants();
  }

  /** Launches the plugin, shakes hands and loads it. */
  async start(launcher: MemoryLauncher): Promise<void> {
    const { platform, codec, id, version, config, secretConfigKeys, maxConcurrency } = this.#options;
    const { clock } = platform;
    const worker = { id: this.#createId(), generation: 1, reason: undefined };
    const client = { id, authority: this.#authority, log: this.#log };
    const { connection: pipe } = await launcher.launch({ pluginId: id, pluginVersion: version, generation: 1, onOutput() {} });
    const connection = new MessageConnection(
      { connection: pipe, clock, codec, limits: defaultFrameLimits, maxQueuedBytes: 32 * 1024 * 1024 },
      noReceiver,
    );
    await acceptHandshake<Session>({
      connection,
      clock,
      admit: () => ({
        session: this.#createId(),
        generation: 1,
        plugin: { id, version },
        grants: this.#authority.wireGrants,
        config,
        secretConfigKeys,
        limits: { ...defaultFrameLimits, maxConcurrency },
        heartbeatMs: 5_000,
        debug: true,
      }),
      establish: () => {
        this.#session = new Session({
          connection,
          clock,
          side: 'host',
          maxIncomingCalls: 256,
          maxOutgoingCalls: maxConcurrency,
          debug: true,
          handlers: {
            onRequest: (call) => this.#broker.handle(client, worker, call),
            onOneWay: (method, params) => this.#broker.handleOneWay(client, worker, method, params),
            onEnd: () => {},
          },
        });
        return this.#session;
      },
    });
    await this.session.call('plugin.load', {}, { timeoutMs: 10_000 });
  }

  /** Hands the plugin an event. @throws INVALID_STATE if it has not subscribed to the topic. */
  deliver(
    topic: string,
    payload: unknown,
    { source = 'the test', correlationId }: { readonly source?: string; readonly correlationId?: string },
  ): void {
    if (![...this.#patterns.values()].some((matches) => matches(topic))) {
      const patterns = [...this.#patterns.keys()].join(', ') || 'nothing';
      throw new WorkerRuntimeError('INVALID_STATE', `The plugin would never see "${topic}": it has subscribed to ${patterns}.`);
    }
    const timestamp = new Date(this.#options.platform.clock.wallTime()).toISOString();
    this.session.notify('events.deliver', {
      id: this.#createId(),
      topic,
      source,
      timestamp,
      payload,
      ...(correlationId === undefined ? {} : { correlationId }),
    });
  }

  /** Stops in order, as a host would. */
  async stop(): Promise<void> {
    const { session } = this;
    const { clock } = this.#options.platform;
    if (session.end === undefined) {
      session.drain(graceMs, 'The test is over.');
      await new Promise<void>((resolve) => {
        const grace = clock.setTimer(graceMs, resolve);
        void session.idle().then(() => {
          grace.cancel();
          resolve();
        });
      });
      await session.call('plugin.unload', {}, { timeoutMs: 10_000 }).catch(() => {});
      session.close('STOPPED', 'The test is over.');
    }
    await session.closed;
    this.#audit.close();
  }

  #announceGrants(): void {
    this.#session?.notify('grants.changed', { grants: this.#authority.wireGrants });
  }
}
