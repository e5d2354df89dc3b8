import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Platform } from '../interfaces/platform.js';
import type { Connection } from '../interfaces/transport.js';
import type { ValueCodec } from '../messages/codec.js';
import type { HelloFields, Message } from '../messages/message.js';
import { strictCodec } from '../messages/strict-codec/strict-codec.js';
import { readFirstMessage, sendFirstMessage } from '../session/first-message.js';
import { handshakeTimeoutMs } from '../session/handshake.js';
import { peekFirstFrame } from '../session/peeked-connection.js';
import type { SessionEnd } from '../session/session.js';
import type { PluginLog } from './context.js';
import { createHello, type OpenedRun, openRun, type WorkerIdentification } from './open-run.js';
import type { Plugin } from './plugin.js';
import { type RedialOptions, redialDelay } from './redial-delay.js';
import type { RunningPlugin, StopOptions } from './running-plugin.js';

/** Bytes that a host may send behind its welcome before they are taken: what it sends again after a resume. */
const maxHeldBytes = 64 * 1024 * 1024;

/** Rejections after which it is useless to ask again, and an address that no attempt makes better. */
const finalCodes: readonly string[] = ['INVALID_ARGUMENT', 'UNAUTHENTICATED', 'UNSUPPORTED_VERSION', 'MISSING_FEATURE', 'HANDSHAKE_INVALID'];

/** How a plugin dials in. */
export interface DialPluginOptions extends WorkerIdentification {
  /** Opens a connection to the host, as `(options) => unixTransport().dial('unix:/…', options)`. Called again whenever it is lost. */
  dial(options: { readonly signal: AbortSignal }): Promise<Connection>;
  /** Clock, random numbers and hashes. */
  readonly platform: Platform;
  /** How it looks for a host that it cannot reach. */
  readonly redial?: RedialOptions;
  /** An attempt failed, and another is made. For logs; must not throw. */
  onRetry?(error: Error, delayMs: number): void;
  /** Default: `strictCodec()`. */
  readonly codec?: ValueCodec | undefined;
}

/**
 * Dials a host, registers there, runs the plugin, and finds the host again when the connection is lost (docs/protocol.md, sections 8 and 13): the
 * session is resumed where it can be; otherwise a fresh one begins, after calls in flight were settled, handlers cancelled and `onUnload` run.
 * It ends with a goodbye of either side, when the host refuses the plugin for good, or when `redial.giveUpAfterMs` is over.
 *
 * Resolves once the first session has begun. Rejects with the code of the host's reject, or with CONNECTION_LOST when no host was reached in time.
 */
export async function dialPlugin(plugin: Plugin, options: DialPluginOptions): Promise<RunningPlugin> {
  const dialled = new DialledPlugin(plugin, options);
  // Between two attempts there is no socket that would keep the process alive.
  const awake = options.platform.clock.keepAlive?.();
  void dialled.ended.then(() => awake?.cancel());
  try {
    await dialled.begin();
  } catch (error) {
    awake?.cancel();
    throw error;
  }
  return dialled;
}

class DialledPlugin implements RunningPlugin {
  readonly ended: Promise<SessionEnd>;
  readonly finished: Promise<void>;
  readonly #plugin: Plugin;
  readonly #options: DialPluginOptions;
  readonly #codec: ValueCodec;
  readonly #leaving = new AbortController();
  #opened: OpenedRun | undefined;
  #redialling = false;
  /** Sessions in a row that were lost soon. */
  #shortLived = 0;
  #connectedAt = 0;
  #resolveEnded!: (end: SessionEnd) => void;

  constructor(plugin: Plugin, options: DialPluginOptions) {
    this.#plugin = plugin;
    this.#options = options;
    this.#codec = options.codec ?? strictCodec();
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.finished = this.ended.then(() => this.#opened?.run.finished);
  }

  get plugin(): { readonly id: string; readonly version: string } {
    return this.#run.plugin;
  }
  get log(): PluginLog {
    return this.#run.log;
  }
  get saidGoodbye(): boolean {
    return this.#opened?.run.saidGoodbye ?? false;
  }
  redact(text: string): string {
    return this.#run.redact(text);
  }

  /** The first session. */
  begin(): Promise<void> {
    return this.#keepDialling(0);
  }

  async stop(options?: StopOptions): Promise<SessionEnd> {
    await this.#run.stop(options);
    this.#leaving.abort();
    return this.ended;
  }

  async fail(message: string): Promise<void> {
    this.#leaving.abort();
    await this.#run.fail(message);
  }

  get #run(): OpenedRun['run'] {
    if (this.#opened === undefined) throw new WorkerRuntimeError('INVALID_STATE', 'The plugin has not reached its host yet.');
    return this.#opened.run;
  }

  /** Dials until a session goes on or begins. @param firstAttempt decides the first wait; 0: at once. Rejects when that is hopeless. */
  async #keepDialling(firstAttempt: number): Promise<void> {
    const { platform, redial = {} } = this.#options;
    const { clock, random } = platform;
    const giveUpAfterMs = redial.giveUpAfterMs ?? 600_000;
    const giveUpAt = giveUpAfterMs === 0 ? Number.POSITIVE_INFINITY : clock.now() + giveUpAfterMs;
    await this.#wait(redialDelay(firstAttempt, redial, random));
    for (let attempt = firstAttempt + 1; ; attempt += 1) {
      try {
        await this.#attempt();
        this.#connectedAt = clock.now();
        return;
      } catch (thrown) {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        if (this.#leaving.signal.aborted || isFinal(error)) throw error;
        const delayMs = redialDelay(attempt, redial, random);
        if (clock.now() + delayMs > giveUpAt) throw unreachable(giveUpAfterMs, error);
        this.#options.onRetry?.(error, delayMs);
        await this.#wait(delayMs);
      }
    }
  }

  async #attempt(): Promise<void> {
    const { clock } = this.#options.platform;
    const signal = this.#leaving.signal;
    if (signal.aborted) throw new WorkerRuntimeError('CANCELLED', 'The plugin leaves.');
    const connection = await this.#options.dial({ signal });
    const abort = (): void => connection.close({ abort: true, reason: 'The plugin leaves.' });
    signal.addEventListener('abort', abort, { once: true });
    try {
      const hello = this.#createHello();
      sendFirstMessage(connection, { kind: 'hello', fields: hello }, this.#codec);
      const peeked = await peekFirstFrame(connection, { clock, timeoutMs: handshakeTimeoutMs, maxHeldBytes });
      const answer = readFirst(connection, peeked.body, this.#codec);
      if (this.#resume(answer, peeked.rest)) return;
      if (answer.kind === 'welcome') await this.#opened?.run.retire('The session could not go on; the host has begun a fresh one.');
      const opened = await openRun(this.#plugin, { connection: peeked.whole, clock, codec: this.#codec, hello, helloSent: true });
      this.#watch(opened);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** @returns false if the answer is anything else than that the session goes on. */
  #resume(answer: Message, connection: Connection): boolean {
    if (answer.kind !== 'welcome' || answer.fields.resumed === undefined) return false;
    const opened = this.#opened;
    const { received } = answer.fields.resumed;
    if (opened === undefined || answer.fields.session !== opened.welcome.session || !opened.run.session.canResume(received)) {
      const message = 'The host goes on with a session that this side does not have any more.';
      connection.close({ abort: true, reason: message });
      throw new WorkerRuntimeError('PROTOCOL_ERROR', message);
    }
    opened.run.session.resume(connection, received);
    return true;
  }

  #createHello(): HelloFields {
    const opened = this.#opened;
    const hello = createHello(this.#options, ['resume']);
    if (opened?.welcome.resume === undefined) return hello;
    const { run, welcome } = opened;
    const { session } = run;
    // Without what a resume needs, an empty session asks for a fresh one.
    const id = session.end === undefined && session.resumable ? welcome.session : '';
    const { token: _, ...others } = hello;
    return { ...others, resume: { session: id, token: opened.welcome.resume.token, received: session.received } };
  }

  #watch(opened: OpenedRun): void {
    this.#opened = opened;
    const { run, welcome } = opened;
    run.onSuspend = () => void this.#redial(opened);
    void run.ended.then((end) => {
      if (opened !== this.#opened || this.#redialling) return;
      // It ended while it was connected: by a goodbye, or by a fault of either side.
      if (run.saidGoodbye || welcome.resume === undefined || this.#leaving.signal.aborted) this.#resolveEnded(end);
      else void this.#redial(opened);
    });
  }

  async #redial(lost: OpenedRun): Promise<void> {
    if (this.#redialling || lost !== this.#opened) return;
    this.#redialling = true;
    try {
      // A host that accepts and breaks at once is not dialled in a tight circle: only a session that has lasted begins the count anew.
      const lastedMs = this.#options.platform.clock.now() - this.#connectedAt;
      const first = lastedMs >= (this.#options.redial?.maxDelayMs ?? 10_000) ? 0 : this.#shortLived;
      this.#shortLived = first + 1;
      await this.#keepDialling(first);
      this.#redialling = false;
      // It may have been lost again while this settled.
      const opened = this.#opened;
      if (opened.run.session.suspended || (opened.run.session.end !== undefined && !opened.run.saidGoodbye)) void this.#redial(opened);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      lost.run.session.abort(message);
      const end = await lost.run.ended;
      this.#resolveEnded(lost.run.saidGoodbye ? end : { code: isWorkerRuntimeError(error) ? error.code : end.code, message, goodbye: false });
    }
  }

  /** Waits, but not any more when the plugin leaves. */
  #wait(delayMs: number): Promise<void> {
    if (delayMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#leaving.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.#options.platform.clock.setTimer(delayMs, done);
      this.#leaving.signal.addEventListener('abort', done);
    });
  }
}

function readFirst(connection: Connection, body: Uint8Array, codec: ValueCodec): Message {
  try {
    return readFirstMessage(body, codec);
  } catch (error) {
    connection.close({ abort: true, reason: 'The answer to the hello is no message.' });
    throw error;
  }
}

function isFinal(error: Error): boolean {
  return isWorkerRuntimeError(error) && finalCodes.includes(error.code);
}

function unreachable(giveUpAfterMs: number, cause: Error): WorkerRuntimeError {
  return new WorkerRuntimeError('CONNECTION_LOST', `The host was not reached within ${giveUpAfterMs} ms (redial.giveUpAfterMs): ${cause.message}`, {
    cause,
  });
}
