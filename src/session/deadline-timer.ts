import type { Clock, Timer } from '../interfaces/platform.js';

/**
 * One timer for many deadlines. Setting a deadline costs a comparison; the timer is armed for the earliest one known, and
 * when it fires the owner sweeps what it holds. Calls mostly end long before their deadline, so that a timer for each
 * would be work for nothing.
 */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #sweep: (now: number) => number;
  #timer: Timer | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  /** @param sweep ends what is due at `now` and returns the earliest deadline that remains, or `Infinity`. */
  constructor(clock: Clock, sweep: (now: number) => number) {
    this.#clock = clock;
    this.#sweep = sweep;
  }

  /** Makes sure that a sweep happens at `deadline` (an instant of the clock). */
  arm(deadline: number): void {
    if (deadline >= this.#armedFor) return;
    this.#timer?.cancel();
    this.#armedFor = deadline;
    this.#timer = this.#clock.setTimer(Math.max(0, deadline - this.#clock.now()), () => {
      this.#timer = undefined;
      this.#armedFor = Number.POSITIVE_INFINITY;
      const next = this.#sweep(this.#clock.now());
      if (next !== Number.POSITIVE_INFINITY) this.arm(next);
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armedFor = Number.NEGATIVE_INFINITY;
  }
}
