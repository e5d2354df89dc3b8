import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Clock, Timer } from '../interfaces/platform.js';
import { inNextHostTurn, nextHostTurn } from './host-turns.js';

/** Turns of the real event loop in which nothing happens, before all is taken to be settled. */
const quietTurns = 3;

/** Options of a {@link SimulatedClock}. */
export interface SimulatedClockOptions {
  /** What the wall clock says at the start, in milliseconds since the Unix epoch. Default: 2026-01-01T00:00:00Z. */
  readonly startWallTimeMs?: number;
}

/** How far {@link SimulatedClock.runUntilIdle} and {@link SimulatedClock.runUntil} may go. */
export interface RunOptions {
  /** The most simulated milliseconds that may pass. Default 3,600,000, an hour. */
  readonly limitMs?: number;
}

interface SimulatedTimer extends Timer {
  readonly dueAt: number;
  readonly callback: () => void;
  active: boolean;
}

/**
 * A clock whose time passes only when a test says so. Messages flow by themselves, since they need turns and no time; timers fire during
 * {@link SimulatedClock.advance}, in the order of their times and, where these are equal, in the order in which they were set. Between two
 * timers everything settles: promise callbacks, ends of turns, and what these cause.
 */
export class SimulatedClock implements Clock {
  readonly #startWallTimeMs: number;
  #now = 0;
  /** By time, then by age. */
  #timers: SimulatedTimer[] = [];
  #endOfTurn: (() => void)[] = [];
  #turnIsDue = false;
  #activity = 0;

  constructor(options: SimulatedClockOptions = {}) {
    this.#startWallTimeMs = options.startWallTimeMs ?? 1_767_225_600_000;
  }

  /** Milliseconds since this clock was made. */
  now(): number {
    return this.#now;
  }

  /** Milliseconds since the Unix epoch: the start that was given, and the simulated time since. */
  wallTime(): number {
    return this.#startWallTimeMs + this.#now;
  }

  /** Timers that are set and have neither fired nor been cancelled: 0 when whatever used the clock has ended properly. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Calls `callback` once when so much simulated time has passed. It fires while `advance`, `runUntil` or `runUntilIdle` run, never by itself. */
  setTimer(delayMs: number, callback: () => void): Timer {
    // A delay that is not a number counts as none, as on the real clock.
    const dueAt = this.#now + Math.max(delayMs, 0);
    const timer: SimulatedTimer = { dueAt, callback, active: true, cancel: () => this.#cancel(timer) };
    let place = this.#timers.length;
    while (place > 0 && (this.#timers[place - 1] as SimulatedTimer).dueAt > dueAt) place -= 1;
    this.#timers.splice(place, 0, timer);
    return timer;
  }

  /** Calls `callback` at the end of the present turn of the real event loop; no simulated time is needed for it. */
  endOfTurn(callback: () => void): void {
    this.#endOfTurn.push(callback);
    if (this.#turnIsDue) return;
    this.#turnIsDue = true;
    inNextHostTurn(() => this.#runTurn());
  }

  /**
   * Lets `ms` milliseconds pass: runs every timer that comes due, each at its own time, and lets everything settle before, between and after.
   * Rejects with what a timer's callback threw.
   */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new WorkerRuntimeError('INVALID_ARGUMENT', 'Time passes by a number of milliseconds from 0 on.');
    const target = this.#now + ms;
    await this.settle();
    while (this.#timers.length > 0 && (this.#timers[0] as SimulatedTimer).dueAt <= target) await this.#fireNext();
    this.#now = Math.max(this.#now, target);
  }

  /** Lets everything happen that needs no time: promise callbacks, ends of turns, and what these cause. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < quietTurns; ) {
      const before = this.#activity;
      await nextHostTurn();
      quiet = this.#turnIsDue || this.#activity !== before ? 0 : quiet + 1;
    }
  }

  /** Lets time pass until no timer is set any more. Rejects with INVALID_STATE if that does not happen within the limit. */
  async runUntilIdle({ limitMs = 3_600_000 }: RunOptions = {}): Promise<void> {
    const limit = this.#now + limitMs;
    await this.settle();
    while (this.#timers.length > 0) {
      if ((this.#timers[0] as SimulatedTimer).dueAt > limit) throw this.#neverEnds(`${this.#timers.length} timers are still set`, limitMs);
      await this.#fireNext();
    }
  }

  /**
   * Lets as much time pass as it takes for `work` to settle, and settles like it. Rejects with INVALID_STATE if `work` is still pending when no timer
   * is set any more, or when the limit is reached: nothing in the simulation will settle it then.
   */
  async runUntil<T>(work: Promise<T>, { limitMs = 3_600_000 }: RunOptions = {}): Promise<T> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    work.then(note, note);
    const limit = this.#now + limitMs;
    await this.settle();
    while (!settled) {
      const next = this.#timers[0];
      if (next === undefined || next.dueAt > limit) throw this.#neverEnds('what was waited for is still pending', limitMs);
      await this.#fireNext();
    }
    return work;
  }

  async #fireNext(): Promise<void> {
    const timer = this.#timers.shift() as SimulatedTimer;
    timer.active = false;
    this.#now = Math.max(this.#now, timer.dueAt);
    this.#activity += 1;
    timer.callback();
    await this.settle();
  }

  #cancel(timer: SimulatedTimer): void {
    if (!timer.active) return;
    timer.active = false;
    this.#timers.splice(this.#timers.indexOf(timer), 1);
  }

  #runTurn(): void {
    const callbacks = this.#endOfTurn;
    this.#endOfTurn = [];
    this.#turnIsDue = false;
    this.#activity += 1;
    let next = 0;
    try {
      while (next < callbacks.length) (callbacks[next++] as () => void)();
    } finally {
      // One that throws surfaces as an uncaught exception; the others of the turn still run.
      if (next < callbacks.length) for (const callback of callbacks.slice(next)) this.endOfTurn(callback);
    }
  }

  #neverEnds(what: string, limitMs: number): WorkerRuntimeError {
    return new WorkerRuntimeError(
      'INVALID_STATE',
      `At ${this.#now} ms of simulated time ${what}, and nothing within ${limitMs} ms (limitMs) will change that.`,
    );
  }
}
