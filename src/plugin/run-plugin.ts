import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { defaultFrameLimits } from '../frames/limits.js';
import type { Clock, Platform } from '../interfaces/platform.js';
import type { Connection } from '../interfaces/transport.js';
import { msgpackrCodec, type ValueCodec } from '../messages/codec.js';
import type { WelcomeFields } from '../messages/message.js';
import { noReceiver, performHandshake, protocolFeatures, protocolVersions } from '../session/handshake.js';
import type { IncomingCall } from '../session/incoming-call.js';
import { MessageConnection } from '../session/message-connection.js';
import { Session, type SessionEnd } from '../session/session.js';
import { CallDispatcher } from './call-dispatcher.js';
import type { PluginLog } from './context.js';
import { readEvent } from './event-subscriptions.js';
import { HostLink } from './host-link.js';
import { Lifecycle } from './lifecycle.js';
import type { Plugin } from './plugin.js';
import { sdkIdentity } from './sdk-identity.js';
import { SessionContext } from './session-context.js';

/** Bytes that may wait for a host that does not read, before the session is given up. */
const maxQueuedBytes = 64 * 1024 * 1024;
/** Calls of the plugin to the host that may be in flight. */
const maxOutgoingCalls = 1_000;
/** Calls of the host beside those of the author's methods: hooks, and refusals that are on their way. */
const spareIncomingCalls = 16;
/** How long `onUnload` may take when the plugin leaves by itself. */
const unloadTimeoutMs = 10_000;

/** How a plugin is run. */
export interface RunPluginOptions {
  /** The way to the host, not started yet. */
  readonly connection: Connection;
  /** Clock, random numbers and hashes. */
  readonly platform: Platform;
  /** Who to say that the plugin is; the host compares. Required where the plugin dials in. */
  readonly pluginId?: string | undefined;
  /** Which version it is. Goes with `pluginId`. */
  readonly pluginVersion?: string | undefined;
  /** Where the host wants one. */
  readonly token?: string | undefined;
  /** Default: MessagePack by msgpackr. */
  readonly codec?: ValueCodec | undefined;
}

/** How a plugin leaves by itself. */
export interface StopOptions {
  /** How long calls in flight may take. Default 10,000 ms. */
  readonly graceMs?: number;
  /** A sentence for the host's log. */
  readonly reason?: string;
}

/** A plugin that has shaken hands with its host. */
export interface RunningPlugin {
  /** Who the host takes it for. */
  readonly plugin: { readonly id: string; readonly version: string };
  /** The plugin's log, for what happens outside of handlers. */
  readonly log: PluginLog;
  /** Resolves when the session ends, in whatever way. */
  readonly ended: Promise<SessionEnd>;
  /** Resolves when the session has ended, what was sent is flushed or given up, and every handler has returned; never if one hangs. */
  readonly finished: Promise<void>;
  /** Whether a goodbye was received or said. */
  readonly saidGoodbye: boolean;
  /** The text without the values of the plugin's secret configuration. */
  redact(text: string): string;
  /**
   * Leaves in order: takes no new calls, lets those in flight end within the grace time, runs `onUnload`, says goodbye. Idempotent.
   * Resolves when the connection is closed.
   */
  stop(options?: StopOptions): Promise<SessionEnd>;
  /** Leaves at once because of a fault, with a goodbye that says so. Resolves when what was sent is flushed or given up. */
  fail(message: string): Promise<void>;
}

/**
 * Runs a plugin over a connection: shakes hands, then answers the host's calls until the session ends. `serve` of the Node entry does this with the
 * channel of the process.
 *
 * Rejects with HANDSHAKE_TIMEOUT, CONNECTION_LOST, PROTOCOL_ERROR or the code of the host's reject; the connection is closed then.
 */
export async function runPlugin(plugin: Plugin, options: RunPluginOptions): Promise<RunningPlugin> {
  const { connection, platform, pluginId, pluginVersion, token } = options;
  const { clock } = platform;
  if (pluginId !== undefined && pluginVersion === undefined)
    throw new WorkerRuntimeError('INVALID_ARGUMENT', 'pluginId needs a pluginVersion beside it.');
  const messages = new MessageConnection(
    { connection, clock, codec: options.codec ?? msgpackrCodec(), limits: defaultFrameLimits, maxQueuedBytes },
    noReceiver,
  );
  let run: PluginRun | undefined;
  await performHandshake({
    connection: messages,
    clock,
    hello: {
      versions: protocolVersions,
      role: 'worker',
      ...(pluginId === undefined || pluginVersion === undefined ? {} : { plugin: { id: pluginId, version: pluginVersion } }),
      sdk: sdkIdentity,
      features: protocolFeatures,
      requiredFeatures: [],
      ...(token === undefined ? {} : { token }),
    },
    establish(_hello, welcome) {
      run = new PluginRun(plugin, messages, clock, welcome);
      return run.session;
    },
  });
  if (run === undefined) throw new WorkerRuntimeError('INTERNAL_ERROR', 'The handshake ended without a session.');
  return run;
}

/** One session of a plugin with its host. */
class PluginRun implements RunningPlugin {
  readonly session: Session;
  readonly ended: Promise<SessionEnd>;
  readonly finished: Promise<void>;
  readonly #clock: Clock;
  readonly #link: HostLink;
  readonly #lifecycle: Lifecycle;
  readonly #dispatcher: CallDispatcher;
  readonly #context: SessionContext;
  #stopping: Promise<SessionEnd> | undefined;
  #goodbye = false;

  constructor(plugin: Plugin, connection: MessageConnection, clock: Clock, welcome: WelcomeFields) {
    const { maxConcurrency } = welcome.limits;
    let resolveEnded: (end: SessionEnd) => void = () => {};
    this.ended = new Promise((resolve) => {
      resolveEnded = resolve;
    });
    this.#clock = clock;
    this.session = new Session({
      connection,
      clock,
      side: 'peer',
      maxIncomingCalls: maxConcurrency + spareIncomingCalls,
      maxOutgoingCalls,
      debug: welcome.debug,
      handlers: {
        onRequest: (call) => this.#onRequest(call),
        onOneWay: (method, params) => this.#onOneWay(method, params),
        onOneWayCredit: () => this.#link.logWriter.resume(),
        onViolation: (error) => this.log.warn({ err: error }, 'The host broke the protocol.'),
        onEnd: (end) => {
          if (end.goodbye) this.#goodbye = true;
          this.#link.end(new WorkerRuntimeError('HOST_LOST', `The session with the host ended: ${end.message}`));
          resolveEnded(end);
        },
      },
    });
    this.#link = new HostLink(this.session, clock, welcome, () => this.#context);
    this.#context = new SessionContext(this.#link);
    this.#lifecycle = new Lifecycle(plugin, this.#link);
    this.#dispatcher = new CallDispatcher(plugin, this.#link, maxConcurrency);
    this.finished = this.ended.then(async () => {
      await this.session.closed;
      await this.#quiet();
    });
  }

  get plugin(): { readonly id: string; readonly version: string } {
    return this.#link.plugin;
  }
  get log(): PluginLog {
    return this.#link.logWriter.log;
  }
  get saidGoodbye(): boolean {
    return this.#goodbye;
  }

  redact(text: string): string {
    return this.#link.redactor.text(text);
  }

  stop(options: StopOptions = {}): Promise<SessionEnd> {
    this.#stopping ??= this.#stop(options);
    return this.#stopping;
  }

  async fail(message: string): Promise<void> {
    this.#close('INTERNAL_ERROR', message);
    await this.session.closed;
  }

  async #stop({ graceMs = 10_000, reason = 'The worker leaves.' }: StopOptions): Promise<SessionEnd> {
    this.#link.leaving = true;
    this.session.drain(graceMs, reason);
    await this.#within(graceMs, Promise.all([this.session.idle(), this.#quiet()]));
    const unloaded = this.#lifecycle.unload(this.#context).catch((error: unknown) => this.log.error({ err: error }, 'onUnload failed.'));
    await this.#within(unloadTimeoutMs, unloaded);
    this.#close('DRAINED', reason);
    await this.session.closed;
    return this.ended;
  }

  #close(code: 'DRAINED' | 'INTERNAL_ERROR', message: string): void {
    if (this.session.end !== undefined) return;
    this.#goodbye = true;
    this.session.close(code, message);
  }

  #onRequest(call: IncomingCall): void {
    if (!this.#lifecycle.handle(call)) this.#dispatcher.dispatch(call, this.#lifecycle.ready);
  }

  #onOneWay(method: string, params: unknown): Promise<void> | undefined {
    if (method === 'grants.changed') this.#link.changeGrants(params);
    if (method !== 'events.deliver') return undefined;
    const event = readEvent(params);
    if (event !== undefined) return this.#link.subscriptions.deliver(event);
    this.log.warn('An event of the host was dropped: it lacks id, topic, source or timestamp.');
    return undefined;
  }

  /** Resolves when no handler runs. */
  async #quiet(): Promise<void> {
    await Promise.all([this.#dispatcher.idle(), this.#link.subscriptions.idle()]);
  }

  /** Waits for `work`, for the end of the session, or `limitMs`, whichever is first. */
  #within(limitMs: number, work: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(limitMs, resolve);
      const done = (): void => {
        timer.cancel();
        resolve();
      };
      work.then(done, done);
      void this.ended.then(done);
    });
  }
}
