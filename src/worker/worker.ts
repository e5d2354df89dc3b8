import type { Reason, ReasonCode } from '../errors/reason.js';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { IsolationLevel, LaunchedWorker, LaunchRequest, WorkerExit } from '../interfaces/launcher.js';
import type { Loss, Session, SessionEnd } from '../session/session.js';
import { describeFault, describeLoss } from './create-reason.js';
import { EndReason } from './end-reason.js';
import { launchWorker } from './launch-worker.js';
import { Liveness } from './liveness.js';
import { openSession } from './open-session.js';
import type { Reconnection } from './reconnection.js';
import { startFailed } from './start-failed.js';
import { StopLadder } from './stop-ladder.js';
import { TimerSet } from './timer-set.js';
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
  /** Ends a launch that is given up; not there when it has settled. */
  #abort: AbortController | undefined = new AbortController();
  readonly #end: EndReason;
  readonly #ladder: StopLadder;
  readonly #timers: TimerSet;
  #state: WorkerState = 'starting';
  #launched: LaunchedWorker | undefined;
  /** The present connection, where the worker has connected again. */
  #reconnection: Reconnection | undefined;
  #session: Session | undefined;
  #liveness: Liveness | undefined;
  #offer: WorkerOffer = { methods: [], streams: [], events: [] };
  /** Why it wants to leave by itself. */
  #leaveReason: string | undefined;
  #started: Promise<void> | undefined;
  #resolveExited!: (reason: Reason) => void;
  #resolveSessionOver!: () => void;
  readonly #sessionOver = new Promise<void>((resolve) => {
    this.#resolveSessionOver = resolve;
  });

  constructor(options: WorkerOptions) {
    const { clock } = options.platform;
    this.#options = options;
    this.id = options.launch.workerId;
    this.generation = options.launch.generation;
    this.startedAt = clock.wallTime();
    this.#end = new EndReason(clock, (text) => options.clean(text));
    this.#timers = new TimerSet(clock);
    this.#ladder = new StopLadder({
      clock,
      timers: this.#timers,
      timings: options.timings,
      session: () => this.#session,
      launched: () => this.#launched,
      apply: (event) => this.#apply(event),
      onUnloadFailed: (error) => options.handlers.onUnloadFailed(this, options.withoutSecrets(error)),
    });
    this.exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
    });
  }

  get state(): WorkerState {
    return this.#state;
  }
  /** Why it is not ready; undefined while it is. */
  get reason(): Reason | undefined {
    if (this.#end.current !== undefined || this.#state === 'ready') return this.#end.current;
    return this.#end.make('STARTING', 'The worker is not ready yet.');
  }
  get pid(): number | undefined {
    return this.#launched?.pid;
  }
  /** The command line, or where it dialled in from, for people. */
  get description(): string {
    return this.#reconnection?.description ?? this.#launched?.description ?? this.#options.launcher.name;
  }
  /** What its launcher gives. */
  get isolation(): IsolationLevel {
    return this.#options.launcher.isolation;
  }
  get offer(): WorkerOffer {
    return this.#offer;
  }
  /** The live session. @throws WORKER_UNAVAILABLE with the reason. */
  get session(): Session {
    if (this.#session !== undefined && (this.#state === 'ready' || this.#state === 'draining')) return this.#session;
    const { reason } = this;
    throw new WorkerRuntimeError('WORKER_UNAVAILABLE', `The worker of "${this.#options.launch.pluginId}" is not ready: ${reason?.message}`, {
      mayHaveRun: false,
      ...(reason === undefined ? {} : { reason }),
    });
  }

  /** Messages of it that have arrived; what a worker that connects again is told. */
  get received(): number {
    return this.#session?.received ?? 0;
  }
  /** Whether its session can go on over another connection. @param received what the worker says has arrived. */
  canResume(received: number): boolean {
    return this.#state !== 'stopping' && this.#state !== 'exited' && this.#session?.canResume(received) === true;
  }
  /** Goes on over another connection, on which the welcome was sent. Only where {@link Worker.canResume} says so. */
  resume(reconnection: Reconnection, received: number): void {
    this.#reconnection = reconnection;
    this.#session?.resume(reconnection.connection, received);
  }
  /** It will not be let in again: a lost connection is its end from now on. */
  forgoResume(): void {
    this.#session?.forgoResume();
  }
  /** Ends it at once, since the worker has begun anew on another connection. */
  abandon(message: string): Promise<Reason> {
    this.#fail('DISCONNECTED', message);
    return this.exited;
  }

  /** Launches, shakes hands and loads. Rejects with START_FAILED and the reason; nothing of the worker runs then. */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  /**
   * Stops by the ladder: drain and grace, on_unload, goodbye, SIGTERM, SIGKILL. Resolves when nothing runs any more. Of several stops the one whose
   * grace ends first counts.
   */
  async stop(reason: string, graceMs = this.#options.timings.graceMs): Promise<Reason> {
    this.#ladder.request(reason, graceMs);
    this.#end.note(this.#state === 'ready' || this.#state === 'draining' ? 'DRAINING' : 'STOPPED', reason);
    this.#abort?.abort(new WorkerRuntimeError('CANCELLED', reason));
    this.#apply('stop-requested');
    return this.exited;
  }

  async #start(): Promise<void> {
    const { launcher, launch, handlers } = this.#options;
    const { startTimeoutMs, hookTimeoutMs } = this.#options.timings;
    const timeout = this.#timers.set(startTimeoutMs, () => this.#fail('START_TIMEOUT', this.#overdue));
    try {
      const onOutput: LaunchRequest['onOutput'] = (line) => {
        if (line.source === 'stderr') this.#end.addErrorLine(line.text);
        handlers.onOutput(this, line);
      };
      const request = { ...launch, signal: (this.#abort ?? new AbortController()).signal, onOutput };
      this.#launched = await launchWorker(launcher, request, this.exited);
      this.#abort = undefined;
      void this.#launched.exited.then((exit) => this.#lastWords().then(() => this.#onExit(exit)));
      // Given up while it was being launched.
      if (this.#state !== 'starting') this.#ladder.terminate();
      else await this.#shakeHands(this.#launched);
      timeout.cancel();
      this.#offer = readOffer(await this.#session?.call('plugin.load', {}, { timeoutMs: hookTimeoutMs }));
      this.#apply('loaded');
      if (this.#session?.peerDraining === true) this.#apply('peer-drains');
      // Lost in the very moment in which it answered.
      if (this.#session?.suspended === true) this.#onSuspended('It was lost as soon as the worker was loaded.');
      if ((this.#state as WorkerState) !== 'ready' && (this.#state as WorkerState) !== 'disconnected')
        throw new WorkerRuntimeError('CANCELLED', 'It was told to end, or wants to, before it was ready.');
    } catch (error) {
      throw await this.#startError(error);
    } finally {
      timeout.cancel();
    }
  }

  get #overdue(): string {
    if (this.#launched === undefined && this.isolation === 'external')
      return `No worker dialled in within ${this.#options.timings.startTimeoutMs} ms (startTimeoutMs). Start one with an address of this host and a token, and look for refused dial-ins in the audit.`;
    return `The worker was not ready within ${this.#options.timings.startTimeoutMs} ms (startTimeoutMs).`;
  }

  /** Sees to the end of a worker that did not become ready. @returns the error that says why. */
  async #startError(error: unknown): Promise<WorkerRuntimeError> {
    const message = error instanceof Error ? error.message : String(error);
    const lost = isWorkerRuntimeError(error, 'WORKER_LOST') || isWorkerRuntimeError(error, 'CONNECTION_LOST');
    if (this.#launched === undefined) {
      this.#end.note('SPAWN_FAILED', `The worker could not be started: ${message}`);
      this.#onExit({ exitCode: null, signal: null, error: message });
    } else if (this.#state !== 'stopping') {
      // The handshake has the same limit as the start, and either timer may be the first.
      if (isWorkerRuntimeError(error, 'HANDSHAKE_TIMEOUT')) this.#end.note('START_TIMEOUT', this.#overdue);
      else if (this.#session?.suspended === true)
        this.#end.note('DISCONNECTED', `The connection to the worker was lost while it was loaded: ${message}`);
      else if (!lost) this.#end.note(this.#session === undefined ? 'HANDSHAKE_FAILED' : 'LOAD_FAILED', message);
      if (this.#session === undefined) this.#launched.sessionOver?.();
      // A lost worker's exit says more than its connection; one that was rejected may still read why, and say so.
      if (lost || this.#session === undefined) await Promise.race([this.exited, this.#timers.delay(exitAfterLossMs)]);
      this.#fail(
        this.#launched.sessionOver === undefined ? 'CHANNEL_CLOSED' : 'DISCONNECTED',
        `The worker closed its channel before it was ready: ${message}`,
      );
    }
    const reason = await this.exited;
    const cause = this.#options.withoutSecrets(error);
    return startFailed(this.#options.launch.pluginId, reason, cause, this.#session !== undefined);
  }

  #shakeHands(launched: LaunchedWorker): Promise<void> {
    return openSession(this.#options, launched, this, {
      onSession: (session) => {
        this.#session = session;
      },
      onDrain: (reason = 'it gave no reason') => {
        this.#leaveReason = reason;
        this.#end.note('DRAINING', `The worker takes no new calls: ${reason}`);
        this.#apply('peer-drains');
      },
      onSuspend: ({ message }) => this.#onSuspended(message),
      onResume: () => this.#onResumed(),
      explainLoss: (end) => this.#explainLoss(end),
    });
  }

  /** The connection was lost; the session waits. Nobody is pinged, and no new call is made. */
  #onSuspended(message: string): void {
    this.#liveness?.stop();
    if (this.#state === 'ready') this.#end.note('DISCONNECTED', `The connection to the worker was lost: ${message}`);
    this.#apply('resumable-loss');
  }

  #onResumed(): void {
    this.#apply('resumed');
    if (this.#state === 'draining') this.#watchLiveness();
  }

  /** The session is over. Says how the worker died, which its exit knows best, and lets the table act. */
  async #explainLoss(end: SessionEnd): Promise<Loss> {
    this.#resolveSessionOver();
    this.#liveness?.stop();
    const { sessionOver } = this.#launched ?? {};
    if (sessionOver !== undefined) void this.#session?.closed.then(sessionOver);
    if (!this.#ladder.closing && this.#state !== 'exited') await this.#onSessionLost(end);
    const reason = this.reason ?? this.#end.make('STOPPED', end.message);
    return { message: reason.message, reason };
  }

  async #onSessionLost(end: SessionEnd): Promise<void> {
    const fault = describeFault(end);
    if (fault?.code === 'PROTOCOL_ERROR') this.#options.handlers.onViolation(this, new WorkerRuntimeError('PROTOCOL_ERROR', end.message));
    if (fault !== undefined) return this.#fail(fault.code, fault.message);
    const hasProcess = this.#launched?.sessionOver === undefined;
    if (hasProcess) await Promise.race([this.exited, this.#timers.delay(end.goodbye ? this.#options.timings.exitTimeoutMs : exitAfterLossMs)]);
    if (this.#state === 'exited') return;
    // One that was told to end, or said that it would, was expected to end its session.
    if (this.#ladder.reason === undefined && this.#leaveReason === undefined) {
      const { code, message } = describeLoss(end, hasProcess);
      this.#end.note(code, message);
    }
    this.#apply('channel-lost');
  }

  /** The process is gone, but what it sent last may still lie in the channel. */
  async #lastWords(): Promise<void> {
    if (this.#session !== undefined && this.#session.end === undefined) await Promise.race([this.#sessionOver, this.#timers.delay(lastWordsMs)]);
  }

  #onExit(exit: WorkerExit): void {
    if (this.#state === 'exited') return;
    const reason = this.#end.noteExit(exit, { stopped: this.#ladder.reason, left: this.#leaveReason, spoke: this.#session !== undefined });
    this.#liveness?.stop();
    this.#apply('exited');
    // Settled before anything else happens: calls in flight learn of the exit, not of a closed pipe.
    this.#resolveExited(reason);
    this.#session?.abort(reason.message);
    this.#launched?.connection.close({ abort: true });
    this.#timers.end();
    const { stragglers } = exit;
    if (stragglers !== undefined && stragglers.killed + stragglers.left > 0) this.#options.handlers.onStragglers(this, stragglers);
  }

  #fail(code: ReasonCode, message: string): void {
    if (this.#state === 'exited') return;
    this.#end.note(code, message);
    this.#abort?.abort(new WorkerRuntimeError('CANCELLED', message));
    this.#apply('failed');
  }

  #apply(event: WorkerEvent): void {
    const from = this.#state;
    const { to, effects } = transition(workerTable, from, event);
    this.#state = to;
    if (to === 'ready') this.#end.clear();
    for (const effect of effects) {
      if (effect === 'announce') this.#options.handlers.onState(this, from, to);
      else this.#effect(effect);
    }
  }

  #effect(effect: Exclude<WorkerEffect, 'announce'>): void {
    switch (effect) {
      case 'watch-liveness':
        return this.#watchLiveness();
      case 'drain':
        return this.#ladder.drain();
      case 'await-idle':
        return this.#ladder.awaitIdle();
      case 'unload':
        return void this.#ladder.unload();
      case 'terminate':
        return this.#ladder.terminate();
      case 'kill':
        if (this.#ladder.kill(this.reason?.message ?? 'The worker is killed.')) return;
        return this.#onExit({ exitCode: null, signal: null, error: `the launcher "${this.#options.launcher.name}" did not give up in time` });
    }
  }

  #watchLiveness(): void {
    const session = this.#session;
    this.#liveness?.stop();
    this.#liveness = new Liveness({
      clock: this.#options.platform.clock,
      heartbeatMs: this.#options.timings.heartbeatMs,
      lastReceivedAt: () => session?.lastReceivedAt ?? 0,
      ping: () => void session?.ping(),
      onDead: (silentMs) => {
        const message = `The worker answered no ping and sent nothing for ${Math.round(silentMs)} ms.`;
        const { breakOff } = this.#reconnection ?? this.#launched ?? {};
        // A silent network is not a dead worker: it may come back.
        if (breakOff === undefined) this.#fail('HEARTBEAT_MISSED', message);
        else breakOff(message);
      },
    });
  }
}
