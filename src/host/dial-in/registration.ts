import { isWorkerRuntimeError, WorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import type { Crypto } from '../../interfaces/platform.js';
import type { ValueCodec } from '../../messages/codec.js';
import type { HelloFields, WelcomeFields } from '../../messages/message.js';
import { sendFirstMessage } from '../../session/first-message.js';
import { protocolFeatures, protocolVersions } from '../../session/handshake.js';
import type { Audit } from '../audit.js';
import type { InstallOptions } from '../host-options.js';
import type { PluginVersion } from '../install-plugin.js';
import type { DialledWorker } from './dial-in-port.js';
import type { Arrival } from './gate.js';
import { Refusal, type RefusedPeer, unauthenticated } from './refusal.js';
import { printable } from './refused-peers.js';
import { digestOf } from './secret.js';
import type { Tokens, WorkerTokenOptions } from './tokens.js';

/** What the registration of workers needs of the host. */
export interface RegistrationOptions {
  readonly codec: ValueCodec;
  readonly crypto: Crypto;
  readonly audit: Audit;
  readonly tokens: Tokens;
  /** The installed version of a plugin. */
  find(pluginId: string): PluginVersion | undefined;
  /** Id of the plugin that a manifest describes. @throws INVALID_MANIFEST */
  idOf(manifest: string): string;
  /** Installs a plugin from the manifest that a worker brought. @throws INVALID_MANIFEST, INVALID_CONFIG, INVALID_ARGUMENT, HOST_STOPPED */
  install(manifest: string, options: InstallOptions): void;
}

type Welcome = Omit<WelcomeFields, 'version' | 'features'>;

/** Decides about workers that dial in, by their token or by the secret of their session, and hands them over to their plugin. */
export class Registration {
  readonly #options: RegistrationOptions;

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  /** Rejects with what the peer is told, or with what became of the worker once its plugin had taken it. */
  async admit(arrival: Arrival): Promise<void> {
    const { plugin, manifest, manifestDigest, resume } = arrival.hello;
    if (plugin === undefined) throw new WorkerRuntimeError('HANDSHAKE_INVALID', 'A worker that dials in says which plugin it runs (hello.plugin).');
    if (manifest === undefined && manifestDigest === undefined) {
      const message = 'A worker that dials in says which manifest it runs (hello.manifestDigest) or brings it (hello.manifest).';
      throw new WorkerRuntimeError('HANDSHAKE_INVALID', message);
    }
    if (resume === undefined) await this.#register(arrival, plugin);
    else await this.#reconnect(arrival, plugin, resume);
  }

  async #register(arrival: Arrival, plugin: Identity): Promise<void> {
    const { tokens } = this.#options;
    const { hello } = arrival;
    const record = tokens.find(hello.token, 'worker');
    const known = { tokenId: record.id };
    if (record.options.plugin !== plugin.id) throw unauthenticated('Its token is for another plugin.', known);
    const claim = tokens.claim(record);
    try {
      const version = this.#options.find(plugin.id) ?? this.#install(hello, record.options, known);
      this.#assertSame(version, hello, plugin, { ...known, pluginId: version.id });
      const worker = this.#dialled(arrival, (generation) => {
        claim.keep();
        this.#record('registered', version, arrival, generation, record.id);
      });
      await this.#handOver(version.supervisor.reception.start(worker), { ...known, pluginId: version.id });
    } finally {
      claim.release();
    }
  }

  async #reconnect(arrival: Arrival, plugin: Identity, resume: NonNullable<HelloFields['resume']>): Promise<void> {
    const version = this.#options.find(plugin.id);
    if (version === undefined) throw unauthenticated('The plugin whose session it would resume is not installed.');
    const known = { pluginId: version.id };
    const mine = version.dialIns.knows(resume);
    if (mine === undefined) throw unauthenticated('The secret of its session is not that of the latest worker.', known);
    this.#assertSame(version, arrival.hello, plugin, known);
    if (!version.dialIns.reconnects.take()) {
      throw new Refusal(
        'OVERLOADED',
        'The worker connects too often; try again later.',
        'It connects too often (dialIn.maxConnectsPerMinute).',
        known,
      );
    }
    const { reception } = version.supervisor;
    const answer = (welcome: Welcome): void => this.#resumed(version, arrival, welcome);
    if (mine.wantsSession && arrival.hello.features.includes('resume') && reception.resume(arrival, answer)) return;
    if (!mine.mayBeginAnew) throw unauthenticated('Its plugin was stopped, and its session is over.', known);
    const worker = this.#dialled(arrival, (generation) => this.#record('renewed', version, arrival, generation));
    await this.#handOver(reception.startAnew(worker), known);
  }

  /** Nothing else can have been installed by then: all of it happens in one turn. @throws Refusal */
  #install(hello: HelloFields, { plugin, install }: WorkerTokenOptions, known: RefusedPeer): PluginVersion {
    const { manifest } = hello;
    if (install === undefined) throw unauthenticated('Its plugin is not installed, and its token is not for installing it.', known);
    if (manifest === undefined) throw unauthenticated('Its plugin is not installed, and it did not bring the manifest.', known);
    try {
      // First of all: the token is for one plugin, and the manifest must not be another's.
      if (this.#options.idOf(manifest) !== plugin) throw unauthenticated('The manifest that it brought is of another plugin.', known);
      this.#options.install(manifest, install);
    } catch (error) {
      if (!isWorkerRuntimeError(error) || error instanceof Refusal) throw error;
      // Its own manifest it may hear about; the operator's configuration not.
      const told = error.code === 'INVALID_MANIFEST' ? error.message : 'The host could not install the manifest; its audit says why.';
      throw new Refusal('HANDSHAKE_INVALID', told, error.message, known);
    }
    return this.#options.find(plugin) as PluginVersion;
  }

  /** @throws Refusal unless the worker runs what is installed. */
  #assertSame(version: PluginVersion, { manifest, manifestDigest }: HelloFields, plugin: Identity, known: RefusedPeer): void {
    const digests = [manifestDigest, manifest === undefined ? undefined : digestOf(manifest, this.#options.crypto)];
    if (digests.some((digest) => digest !== undefined && digest !== version.manifestDigest))
      throw unauthenticated('Its manifest is not the one that is installed.', known);
    const installed = version.supervisor.manifest;
    if (plugin.version !== installed.version) {
      const message = `The worker calls itself version ${printable(plugin.version)}, its manifest is of version ${installed.version}.`;
      throw new Refusal('HANDSHAKE_INVALID', message, message, known);
    }
  }

  /** What keeps the plugin from starting is told to its worker, in words that say nothing of the policy. */
  async #handOver(started: Promise<void>, known: RefusedPeer): Promise<void> {
    try {
      await started;
    } catch (error) {
      if (!isWorkerRuntimeError(error)) throw error;
      const { code, message } = error;
      const told: Readonly<Record<string, string>> = {
        APPROVAL_REQUIRED: `"${known.pluginId}" awaits approval by the operator of the host; nothing is wrong with this worker.`,
        CAPABILITY_DENIED: `The policy of the host denies "${known.pluginId}" a capability that its manifest requires.`,
        OVERLOADED: message,
        WORKER_UNAVAILABLE: message,
      };
      if (Object.hasOwn(told, code)) throw new Refusal(code as 'OVERLOADED', told[code] as string, message, known);
      throw new Refusal('WORKER_UNAVAILABLE', `"${known.pluginId}" could not be started; the log of the host says why.`, message, known);
    }
  }

  #dialled({ connection, peer }: Arrival, onAdmitted: (generation: number) => void): DialledWorker {
    return { connection, peer: printable(peer), onAdmitted };
  }

  #resumed(version: PluginVersion, arrival: Arrival, welcome: Welcome): void {
    const { connection, hello } = arrival;
    const wireVersion = Math.max(...protocolVersions.filter((candidate) => hello.versions.includes(candidate)));
    const features = protocolFeatures.filter((feature) => hello.features.includes(feature));
    sendFirstMessage(connection, { kind: 'welcome', fields: { ...welcome, version: wireVersion, features } }, this.#options.codec);
    connection.dropHello();
    this.#record('resumed', version, arrival, welcome.generation);
  }

  #record(outcome: 'registered' | 'resumed' | 'renewed', { id }: PluginVersion, { peer }: Arrival, generation: number, tokenId?: string): void {
    const token = tokenId === undefined ? {} : { tokenId };
    this.#options.audit.record({ kind: 'dial-in', outcome, pluginId: id, peer: printable(peer), generation, ...token });
  }
}

type Identity = NonNullable<HelloFields['plugin']>;
