import type { Reason, ReasonCode } from '../errors/reason.js';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { LaunchedWorker, WorkerExit } from '../interfaces/launcher.js';
import type { Timer } from '../interfaces/platform.js';
import { acceptHandshake, noReceiver } from '../session/handshake.js';
import { MessageConnection } from '../session/message-connection.js';
import { type Loss, Session, type SessionEnd } from '../session/session.js';
import { createReason, describeExit } from './create-reason.js';
import { Liveness } from './liveness.js';
import { OutputTail } from './output-tail.js';
import { transition } from './transition-table.js';
import { readOffer, type WorkerOffer } from './worker-offer.js';
import type { WorkerOptions } from './worker-options.js';
import { type WorkerEffect, type WorkerEvent, type WorkerState, workerTable } from './worker-table.js';

/** How long a lost call waits for the process's exit, so that its error can say how the worker died. */
const exitAfterLossMs = 1_000;
/** How long the channel is read on after the process has ended; a grandchild may hold it open. */
const lastWordsMs = 200;

/** One running incarnation of a plugin: a process (or what stands for it), its session, and the table that drives both. */
export class Worker {
  readonly id: string;
  readonly generation: number;
  readonly startedAt: number;
  /** Resolves when nothing of the worker runs any more, with the reason. Never rejects. */
  readonly exited: Promise<Reason>;
  readonly #options: WorkerOptions;
  readonly #abort = new AbortController();
  readonly #stderr = new OutputTail();
  #state: WorkerState = 'starting';
  #reason: Reason | undefined;
  #launched: LaunchedWorker | undefined;
  #session: Session | undefined;
  #liveness: Liveness | undefined;
  #offer: WorkerOffer = { methods: [], streams: [], events: [] };
  #timers = new Set<Timer>();
  #graceMs: number;
  #stopReason = 'The host stops the plugin.';
  #terminating = false;
  #closing = false;
  #started: Promise<void> | undefined;
  #resolveExited!: (reason: Reason) => void;
  #resolveSessionOver!: () => void;
  readonly #sessionOver = new Promise<void>((resolve) => {
    this.#resolveSessionOver = resolve;
  });

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.id = options.launch.workerId;
    this.generation = options.launch.generation;
    this.startedAt = options.platform.clock.wallTime();
    this.#graceMs = options.timings.graceMs;
    this.exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
    });
  }

  get state(): WorkerState {
    return this.#state;
  }
  /** Why it is not ready; undefined while it is. */
  get reason(): Reason | undefined {
    return this.#reason;
  }
  get pid(): number | undefined {
    return this.#launched?.pid;
  }
  /** The command line, for people. */
  get description(): string {
    return this.#launched?.description ?? this.#options.launcher.name;
  }
  get offer(): WorkerOffer {
    return this.#offer;
  }
  /** The live session. @throws WORKER_UNAVAILABLE with the reason. */
  get session(): Session {
    if (this.#session === undefined || (this.#state !== 'ready' && this.#state !== 'draining')) throw this.#unavailable();
    return this.#session;
  }

  /** Launches, shakes hands and loads. Rejects with START_FAILED and the reason; nothing of the worker runs then. */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  /** Stops by the ladder: drain and grace, on_unload, goodbye, SIGTERM, SIGKILL. Resolves when nothing runs any more. */
  async stop(reason: string, graceMs = this.#options.timings.graceMs): Promise<Reason> {
    this.#stopReason = reason;
    this.#graceMs = graceMs;
    this.#reason ??= this.#makeReason(this.#state === 'ready' ? 'DRAINING' : 'STOPPED', reason);
    this.#abort.abort(new WorkerRuntimeError('CANCELLED', reason));
    this.#apply('stop-requested');
    return this.exited;
  }

  /** Ends it by force, at once. */
  async kill(code: ReasonCode, message: string): Promise<Reason> {
    this.#fail(code, message);
    this.#effect('kill');
    return this.exited;
  }

  async #start(): Promise<void> {
    const { launcher, launch, timings } = this.#options;
    const timeout = this.#timer(timings.startTimeoutMs, () =>
      this.#fail('START_TIMEOUT', `The worker was not ready within ${timings.startTimeoutMs} ms (startTimeoutMs).`),
    );
    try {
      const launched = await launcher.launch({
        ...launch,
        signal: this.#abort.signal,
        onOutput: (raw) => {
          const line = { ...raw, text: this.#options.redact(raw.text) };
          if (line.source === 'stderr') this.#stderr.add(line.text);
          this.#options.handlers.onOutput(this, line);
        },
      });
      this.#launched = launched;
      void launched.exited.then((exit) => this.#lastWords().then(() => this.#onExit(exit)));
      // Given up while it was being launched.
      if (this.#state !== 'starting') this.#effect('terminate');
      await this.#shakeHands(launched);
      timeout.cancel();
      await this.#load();
      this.#apply('loaded');
    } catch (error) {
      if (this.#launched === undefined) {
        this.#reason ??= this.#makeReason('SPAWN_FAILED', `The worker could not be started: ${messageOf(error)}`);
        this.#onExit({ exitCode: null, signal: null, error: messageOf(error) });
      } else if (isWorkerRuntimeError(error, 'WORKER_LOST') || isWorkerRuntimeError(error, 'CONNECTION_LOST')) {
        // The process is ending; its exit says more than the connection.
        await Promise.race([this.exited, this.#delay(exitAfterLossMs)]);
        this.#fail('CHANNEL_CLOSED', `The worker closed its channel before it was ready: ${messageOf(error)}`);
      } else this.#fail(this.#session === undefined ? 'HANDSHAKE_FAILED' : 'LOAD_FAILED', messageOf(error));
      const reason = await this.exited;
      const details = isWorkerRuntimeError(error) && this.#session !== undefined ? { cause: { code: error.code, details: error.details } } : {};
      throw new WorkerRuntimeError('START_FAILED', `The worker of "${launch.pluginId}" did not start: ${reason.message}`, { reason, details, cause: error });
    } finally {
      timeout.cancel();
    }
  }

  async #shakeHands(launched: LaunchedWorker): Promise<void> {
    const { platform, codec, limits, maxQueuedBytes, maxIncomingCalls, maxConcurrency, debug, handlers, timings } = this.#options;
    const connection = new MessageConnection({ connection: launched.connection, clock: platform.clock, codec, limits, maxQueuedBytes }, noReceiver);
    await acceptHandshake<Session>({
      connection,
      clock: platform.clock,
      timeoutMs: timings.startTimeoutMs,
      admit: (hello) => this.#options.admit(hello),
      establish: () => {
        this.#session = new Session({
          connection,
          clock: platform.clock,
          side: 'host',
          maxIncomingCalls,
          maxOutgoingCalls: maxConcurrency,
          debug,
          handlers: {
            onRequest: (call) => handlers.onRequest(this, call),
            onOneWay: (method, params) => handlers.onOneWay(this, method, params),
            onOneWayCredit: () => handlers.onOneWayCredit(this),
            onDrain: () => {
              this.#reason ??= this.#makeReason('DRAINING', 'The worker said that it takes no new calls.');
              this.#apply('peer-drains');
            },
            onViolation: (error) => handlers.onViolation(this, error),
            explainLoss: (end) => this.#explainLoss(end),
            onEnd: () => {},
          },
        });
        return this.#session;
      },
    });
  }

  async #load(): Promise<void> {
    const loaded = await this.#session?.call('plugin.load', {}, { timeoutMs: this.#options.timings.hookTimeoutMs });
    this.#offer = readOffer(loaded);
  }

  /** The session is over. Says how the worker died, which its exit knows best, and lets the table act. */
  async #explainLoss(end: SessionEnd): Promise<Loss> {
    this.#resolveSessionOver();
    this.#liveness?.stop();
    if (!this.#closing && this.#state !== 'exited') {
      await Promise.race([this.exited, this.#delay(exitAfterLossMs)]);
      if (end.code === 'PROTOCOL_ERROR' && !end.goodbye) this.#fail('PROTOCOL_ERROR', `The worker broke the protocol: ${end.message}`);
      else if (end.code === 'SLOW_READER') this.#fail('SLOW_READER', end.message);
      else if ((this.#state as WorkerState) !== 'exited') {
        this.#reason ??= this.#makeReason('CHANNEL_CLOSED', `The worker closed its channel while its process went on (${end.message})`);
        this.#apply('channel-lost');
      }
    }
    const reason = this.#reason ?? this.#makeReason('STOPPED', this.#stopReason);
    return { message: reason.message, reason };
  }

  /** The process is gone, but what it sent last may still lie in the channel. */
  async #lastWords(): Promise<void> {
    if (this.#session !== undefined && this.#session.end === undefined) await Promise.race([this.#sessionOver, this.#delay(lastWordsMs)]);
  }

  #onExit(exit: WorkerExit): void {
    const told = describeExit(exit);
    const known = { exitCode: exit.exitCode, signal: exit.signal, stderrTail: this.#stderr.toString() };
    this.#reason =
      this.#reason === undefined || this.#reason.code === 'DRAINING'
        ? this.#state === 'stopping' || this.#closing
          ? this.#makeReason('STOPPED', this.#stopReason, known)
          : this.#makeReason(told.code, told.message, known)
        : { ...this.#reason, ...known };
    this.#liveness?.stop();
    this.#apply('exited');
    // Settled before anything else happens: calls in flight learn of the exit, not of a closed pipe.
    this.#resolveExited(this.#reason);
    this.#session?.abort(this.#reason.message);
    if (this.#session === undefined) this.#launched?.connection.close({ abort: true });
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #fail(code: ReasonCode, message: string): void {
    if (this.#state === 'exited') return;
    if (this.#reason === undefined || this.#reason.code === 'DRAINING') this.#reason = this.#makeReason(code, message);
    this.#abort.abort(new WorkerRuntimeError('CANCELLED', message));
    this.#apply('failed');
  }

  #apply(event: WorkerEvent): void {
    const from = this.#state;
    const { to, effects } = transition(workerTable, from, event);
    this.#state = to;
    if (to === 'ready') this.#reason = undefined;
    for (const effect of effects) {
      if (effect === 'announce') this.#options.handlers.onState(this, from, to);
      else this.#effect(effect);
    }
  }

  #effect(effect: Exclude<WorkerEffect, 'announce'>): void {
    const { clock } = this.#options.platform;
    const { heartbeatMs, exitTimeoutMs, killTimeoutMs } = this.#options.timings;
    const session = this.#session;
    switch (effect) {
      case 'watch-liveness':
        this.#liveness = new Liveness({
          clock,
          heartbeatMs,
          lastReceivedAt: () => session?.lastReceivedAt ?? 0,
          ping: () => void session?.ping(),
          onDead: (silentMs) => this.#fail('HEARTBEAT_MISSED', `The worker answered no ping and sent nothing for ${Math.round(silentMs)} ms.`),
        });
        return;
      case 'drain':
        return session?.drain(this.#graceMs, this.#stopReason);
      case 'await-idle': {
        const grace = this.#timer(this.#graceMs, () => this.#apply('drained'));
        void session?.idle().then(() => {
          grace.cancel();
          this.#apply('drained');
        });
        return;
      }
      case 'unload':
        return void this.#unload(exitTimeoutMs);
      case 'terminate':
        this.#closing = true;
        this.#session?.close('STOPPED', this.#stopReason);
        this.#launched?.terminate();
        if (!this.#terminating) this.#timer(killTimeoutMs, () => this.#apply('failed'));
        this.#terminating = true;
        return;
      case 'kill':
        this.#closing = true;
        this.#session?.abort(this.#reason?.message ?? this.#stopReason);
        this.#launched?.kill();
        return;
    }
  }

  async #unload(exitTimeoutMs: number): Promise<void> {
    try {
      await this.#session?.call('plugin.unload', {}, { timeoutMs: this.#options.timings.hookTimeoutMs });
    } catch (error) {
      if (error instanceof WorkerRuntimeError) this.#options.handlers.onViolation(this, new WorkerRuntimeError(error.code, `on_unload failed: ${error.message}`, { cause: error }));
    }
    this.#closing = true;
    this.#liveness?.stop();
    this.#session?.close('STOPPED', this.#stopReason);
    if (this.#state !== 'exited') this.#timer(exitTimeoutMs, () => this.#apply('exit-overdue'));
  }

  #timer(delayMs: number, callback: () => void): Timer {
    const timer = this.#options.platform.clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
    return timer;
  }

  #delay(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#timer(delayMs, resolve));
  }

  #makeReason(code: ReasonCode, message: string, known: Partial<Reason> = {}): Reason {
    return createReason(this.#options.platform.clock, code, message, { stderrTail: this.#stderr.toString(), ...known });
  }

  #unavailable(): WorkerRuntimeError {
    const reason = this.#reason ?? this.#makeReason('STARTING', 'The worker is not ready yet.');
    return new WorkerRuntimeError('WORKER_UNAVAILABLE', `The worker of "${this.#options.launch.pluginId}" is not ready: ${reason.message}`, { reason, mayHaveRun: false });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
