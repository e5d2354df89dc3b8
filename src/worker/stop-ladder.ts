import type { LaunchedWorker } from '../interfaces/launcher.js';
import type { Clock, Timer } from '../interfaces/platform.js';
import type { Session } from '../session/session.js';
import type { TimerSet } from './timer-set.js';
import type { WorkerTimings } from './worker-options.js';
import type { WorkerEvent } from './worker-table.js';

/** What the ladder acts on, and whom it tells. */
export interface StopLadderOptions {
  readonly clock: Clock;
  readonly timers: TimerSet;
  readonly timings: WorkerTimings;
  readonly session: () => Session | undefined;
  readonly launched: () => LaunchedWorker | undefined;
  apply(event: WorkerEvent): void;
  onUnloadFailed(error: unknown): void;
}

/** The steps by which a worker is stopped; the table says which of them comes when. */
export class StopLadder {
  readonly #options: StopLadderOptions;
  #graceEndsAt: number | undefined;
  #grace: Timer | undefined;
  #killTimer: Timer | undefined;
  #reason: string | undefined;
  #closing = false;

  constructor(options: StopLadderOptions) {
    this.#options = options;
  }

  /** Why the host wants it to stop; undefined if it does not. */
  get reason(): string | undefined {
    return this.#reason;
  }
  /** Whether this side ends the session, so that its end is no loss. */
  get closing(): boolean {
    return this.#closing;
  }

  /** The host wants it to stop. Of several requests the one whose grace ends first counts. */
  request(reason: string, graceMs: number): void {
    this.#reason ??= reason;
    const endsAt = this.#options.clock.now() + graceMs;
    this.#graceEndsAt = Math.min(this.#graceEndsAt ?? endsAt, endsAt);
  }

  drain(): void {
    this.#options.session()?.drain(this.#graceLeft(), this.#sentence);
  }

  /** Waits until no call is in flight, or the grace is over. */
  awaitIdle(): void {
    const drained = (): void => {
      this.#grace?.cancel();
      this.#options.apply('drained');
    };
    this.#grace?.cancel();
    this.#grace = this.#options.timers.set(this.#graceLeft(), drained);
    void this.#options.session()?.idle().then(drained);
  }

  /** Runs on_unload, says goodbye, and expects the exit. A worker that leaves by itself does the first two by itself. */
  async unload(): Promise<void> {
    const { hookTimeoutMs, exitTimeoutMs } = this.#options.timings;
    const { timers } = this.#options;
    const session = this.#options.session();
    if (session?.peerDraining === true) await Promise.race([session.closed, timers.delay(hookTimeoutMs)]);
    // Nobody is there to be told, and whoever stops it has waited long enough.
    else if (session?.suspended !== true)
      await session?.call('plugin.unload', {}, { timeoutMs: hookTimeoutMs }).catch((error: unknown) => this.#options.onUnloadFailed(error));
    this.close();
    timers.set(exitTimeoutMs, () => this.#options.apply('exit-overdue'));
  }

  /** SIGTERM; SIGKILL follows if that does not help. */
  terminate(): void {
    this.close();
    this.#options.launched()?.terminate();
    this.#killTimer ??= this.#options.timers.set(this.#options.timings.killTimeoutMs, () => this.#options.apply('failed'));
  }

  /** SIGKILL. @param message for the calls in flight. @returns whether there was anything to kill. */
  kill(message: string): boolean {
    this.#closing = true;
    // One that has ended may still be saying why.
    const session = this.#options.session();
    if (session?.end === undefined) session?.abort(message);
    const launched = this.#options.launched();
    launched?.kill();
    return launched !== undefined;
  }

  close(): void {
    this.#closing = true;
    this.#options.session()?.close('STOPPED', this.#sentence);
  }

  get #sentence(): string {
    return this.#reason ?? 'The host ends the worker.';
  }

  /** Whole milliseconds. */
  #graceLeft(): number {
    const now = this.#options.clock.now();
    this.#graceEndsAt ??= now + this.#options.timings.graceMs;
    return Math.max(0, Math.ceil(this.#graceEndsAt - now));
  }
}
