import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Clock } from '../interfaces/platform.js';
import type { WelcomeFields } from '../messages/message.js';
import type { IncomingCall } from '../session/incoming-call.js';
import type { MessageConnection } from '../session/message-connection.js';
import { Session, type SessionEnd } from '../session/session.js';
import { CallDispatcher } from './call-dispatcher.js';
import type { PluginLog } from './context.js';
import { readEvent } from './event-subscriptions.js';
import { HostLink } from './host-link.js';
import { Lifecycle } from './lifecycle.js';
import type { Plugin } from './plugin.js';
import type { RunningPlugin, StopOptions } from './running-plugin.js';
import { SessionContext } from './session-context.js';

/** Calls of the plugin to the host that may be in flight. */
const maxOutgoingCalls = 1_000;
/** Calls of the host beside those of the author's methods: hooks, and refusals that are on their way. */
const spareIncomingCalls = 16;
/** How long `onUnload` may take when the plugin leaves by itself, or when its host has forgotten it. */
const unloadTimeoutMs = 10_000;
/** How long handlers may take to end when their session has. */
const handlerEndMs = 1_000;

/** One session of a plugin with its host. */
export class PluginRun implements RunningPlugin {
  readonly session: Session;
  readonly ended: Promise<SessionEnd>;
  readonly finished: Promise<void>;
  /** The connection was lost; the session waits for another. */
  onSuspend: (() => void) | undefined;
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
        onSuspend: () => this.onSuspend?.(),
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

  /** The session is lost for good and another one takes its place: handlers are cancelled, and the plugin is unloaded as far as that is possible. */
  async retire(message: string): Promise<void> {
    this.session.abort(message);
    await this.ended;
    await this.#within(handlerEndMs, this.#quiet());
    const unloaded = this.#lifecycle.unload(this.#context).catch((error: unknown) => this.log.error({ err: error }, 'onUnload failed.'));
    await this.#within(unloadTimeoutMs, unloaded);
  }

  async #stop({ graceMs = 10_000, reason = 'The worker leaves.' }: StopOptions): Promise<SessionEnd> {
    this.#link.leaving = true;
    this.session.drain(graceMs, reason);
    await this.#within(graceMs, Promise.race([this.ended, Promise.all([this.session.idle(), this.#quiet()])]));
    const unloaded = this.#lifecycle.unload(this.#context).catch((error: unknown) => this.log.error({ err: error }, 'onUnload failed.'));
    await this.#within(unloadTimeoutMs, Promise.race([this.ended, unloaded]));
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

  /** Waits for `work` or `limitMs`, whichever is first. */
  #within(limitMs: number, work: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(limitMs, resolve);
      const done = (): void => {
        timer.cancel();
        resolve();
      };
      work.then(done, done);
    });
  }
}
