import type { Clock, Timer } from '../interfaces/platform.js';

/** Timers that end together with what they belong to. */
export class TimerSet {
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  #ended = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sets a timer; after the end of the set one that never fires. */
  set(delayMs: number, callback: () => void): Timer {
    if (this.#ended) return { cancel() {} };
    const inner = this.#clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    const timer: Timer = {
      cancel: () => {
        this.#timers.delete(timer);
        inner.cancel();
      },
    };
    this.#timers.add(timer);
    return timer;
  }

  /** Resolves after the delay; never, if the set ends before. */
  delay(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.set(delayMs, resolve);
    });
  }

  /** Cancels all that are set. */
  end(): void {
    this.#ended = true;
    for (const timer of [...this.#timers]) timer.cancel();
  }
}
