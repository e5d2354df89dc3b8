import { WorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import type { LaunchedWorker, Launcher, LaunchRequest, WorkerExit } from '../../interfaces/launcher.js';
import type { Platform } from '../../interfaces/platform.js';
import type { HelloFields, WelcomeFields } from '../../messages/message.js';
import type { DialInOptions } from './dial-in-options.js';
import type { DialledConnection } from './dialled-connection.js';
import { MinuteBudget } from './minute-budget.js';
import { areEqualDigests, createSecret, digestOf } from './secret.js';

/** A connection of a worker that the gate lets in. */
export interface DialledWorker {
  readonly connection: DialledConnection;
  /** Where it comes from, for people. */
  readonly peer: string;
  /** It is about to be welcomed. @throws Refusal if it may not be any more. */
  onAdmitted(generation: number): void;
}

/**
 * Where the workers of one plugin that dial in become workers like any other: a launcher that starts nothing, but takes what the gate hands over, or
 * waits for it. It also knows who may come back: the latest worker, by the secret of its welcome.
 */
export class DialInPort implements Launcher {
  readonly name = 'dial-in';
  readonly isolation = 'external';
  /** How often its worker may connect again: each time costs the host something. */
  readonly reconnects: MinuteBudget;
  readonly #platform: Platform;
  readonly #limits: Required<DialInOptions>;
  #offered: DialledWorker | undefined;
  /** The worker that a launch took; what was known of its arrival goes when it is admitted. */
  #taken: { worker: DialledWorker | undefined; admitted: boolean } | undefined;
  #waiting: ((worker: DialledWorker) => void) | undefined;
  #credential: { readonly session: string; readonly digest: string; mayBeginAnew: boolean } | undefined;

  constructor(platform: Platform, limits: Required<DialInOptions>) {
    this.#platform = platform;
    this.#limits = limits;
    this.reconnects = new MinuteBudget(platform.clock, limits.maxConnectsPerMinute);
  }

  /** Whether a launch waits for a worker to dial in. */
  get waiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Hands over a worker, to the launch that waits or to the next. @returns false if there is one already. */
  offer(worker: DialledWorker): boolean {
    if (this.#offered !== undefined) return false;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#offered = worker;
    else waiting(worker);
    return true;
  }

  /** Takes back one that no launch has taken. */
  withdraw(worker: DialledWorker): void {
    if (this.#offered === worker) this.#offered = undefined;
  }

  async launch({ signal }: LaunchRequest): Promise<LaunchedWorker> {
    const offered = this.#offered;
    this.#offered = undefined;
    return this.#launched(offered ?? (await this.#wait(signal)));
  }

  /** A worker is about to be welcomed: only it may come back from now on. @returns the terms of a resume, where it can. @throws Refusal */
  admit(session: string, generation: number, { features }: HelloFields): WelcomeFields['resume'] {
    const taken = this.#taken;
    taken?.worker?.onAdmitted(generation);
    this.#credential = undefined;
    if (taken === undefined) return undefined;
    taken.admitted = true;
    taken.worker = undefined;
    if (!features.includes('resume') || this.#limits.resumeWindowMs === 0) return undefined;
    const token = createSecret('swr_', this.#platform.random);
    this.#credential = { session, digest: digestOf(token, this.#platform.crypto), mayBeginAnew: true };
    return this.terms(token);
  }

  /** What a welcome says of resumes. */
  terms(token: string): NonNullable<WelcomeFields['resume']> {
    return { token, windowMs: this.#limits.resumeWindowMs, maxBytes: this.#limits.resumeMaxBytes };
  }

  /** Whether it is the latest worker. @returns whether it wants its session back, and whether it may begin anew if that is over; undefined if it is not. */
  knows({ session, token }: NonNullable<HelloFields['resume']>): { readonly wantsSession: boolean; readonly mayBeginAnew: boolean } | undefined {
    const credential = this.#credential;
    if (credential === undefined || !areEqualDigests(credential.digest, digestOf(token, this.#platform.crypto))) return undefined;
    // A session that is not its own is not one that it may name, an empty one asks for a new one.
    if (session !== '' && session !== credential.session) return undefined;
    return { wantsSession: session !== '', mayBeginAnew: credential.mayBeginAnew };
  }

  /** The plugin is being stopped: its worker may finish what it is at, and nothing else. */
  endRenewal(): void {
    if (this.#credential !== undefined) this.#credential.mayBeginAnew = false;
  }

  /** Nobody may come back. */
  forget(): void {
    this.#credential = undefined;
  }

  #wait(signal: AbortSignal): Promise<DialledWorker> {
    return new Promise((resolve, reject) => {
      // Whoever starts the plugin waits for it, even if nothing else keeps the process alive.
      const awake = this.#platform.clock.keepAlive?.();
      const onAbort = (): void => {
        awake?.cancel();
        this.#waiting = undefined;
        reject(new WorkerRuntimeError('CANCELLED', 'No worker dialled in before the start was given up.'));
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting = (worker) => {
        awake?.cancel();
        signal.removeEventListener('abort', onAbort);
        resolve(worker);
      };
    });
  }

  #launched(worker: DialledWorker): LaunchedWorker {
    const { connection, peer } = worker;
    const taken: { worker: DialledWorker | undefined; admitted: boolean } = { worker, admitted: false };
    this.#taken = taken;
    let resolveExited: (exit: WorkerExit) => void = () => {};
    const exited = new Promise<WorkerExit>((resolve) => {
      resolveExited = resolve;
    });
    const exit = (): void => resolveExited({ exitCode: null, signal: null });
    // There is no process: what can be ended is the connection. Once there is a session, that has ended it, in its own way; before, it may still be
    // saying why the worker was rejected.
    const end = (abort: boolean): void => {
      if (taken.admitted) return;
      connection.close({ abort });
      void connection.closed.then(exit);
    };
    return {
      connection,
      exited,
      pid: undefined,
      description: `dialled in from ${peer}`,
      terminate: () => end(false),
      kill: () => end(true),
      sessionOver: () => (taken.admitted ? exit() : end(false)),
      breakOff: (message) => connection.breakOff(message),
    };
  }
}
