import type { Clock, Timer } from '../interfaces/platform.js';

/** What a {@link StallWatch} watches. */
export interface StallWatchOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Whether the peer still takes nothing. */
  isStalled(): boolean;
  /** It took nothing for `timeoutMs`. */
  onStall(): void;
}

/**
 * Notices a peer that takes nothing of what is sent for too long. One timer serves many times of being held up: it looks how long the present one lasts. The
 * time without a connection does not count, and does not begin the count anew: a peer could connect again and again instead of reading.
 */
export class StallWatch {
  readonly #options: StallWatchOptions;
  /** When it stopped taking anything; undefined while it does. */
  #since: number | undefined;
  #pausedAt: number | undefined;
  #timer: Timer | undefined;

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  /** The peer takes nothing more at present. */
  begin(): void {
    const { clock, timeoutMs } = this.#options;
    this.#since ??= clock.now();
    this.#timer ??= clock.setTimer(Math.max(0, this.#since + timeoutMs - clock.now()), this.#check);
  }

  /** It has taken something. */
  progress(): void {
    this.#since = undefined;
  }

  /** There is no connection. */
  pause(): void {
    this.#pausedAt = this.#options.clock.now();
  }

  /** There is one again. */
  goOn(): void {
    if (this.#pausedAt !== undefined && this.#since !== undefined) this.#since += this.#options.clock.now() - this.#pausedAt;
    this.#pausedAt = undefined;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #check = (): void => {
    this.#timer = undefined;
    const { clock, timeoutMs, isStalled, onStall } = this.#options;
    if (!isStalled()) return;
    this.#since ??= clock.now();
    const left = this.#since + timeoutMs - clock.now();
    if (left <= 0) onStall();
    else this.#timer = clock.setTimer(left, this.#check);
  };
}
