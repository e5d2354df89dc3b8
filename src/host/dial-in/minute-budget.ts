import type { Clock } from '../../interfaces/platform.js';

const minuteMs = 60_000;

/** Lets something happen so often in a minute, which begins when it first happens. Sets no timer. */
export class MinuteBudget {
  readonly #clock: Clock;
  readonly #max: number;
  #beganAt = Number.NEGATIVE_INFINITY;
  #taken = 0;

  constructor(clock: Clock, max: number) {
    this.#clock = clock;
    this.#max = max;
  }

  /** @returns whether it may happen once more. */
  take(): boolean {
    const now = this.#clock.now();
    if (now - this.#beganAt >= minuteMs) {
      this.#beganAt = now;
      this.#taken = 0;
    }
    if (this.#taken >= this.#max) return false;
    this.#taken += 1;
    return true;
  }
}
