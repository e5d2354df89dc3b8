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

/** Notices a peer that takes nothing of what is sent for too long. One timer serves many times of being held up: it looks how long the present one lasts. */
export class StallWatch {
  readonly #options: StallWatchOptions;
  #since = 0;
  #timer: Timer | undefined;

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  /** The peer has just stopped taking anything. */
  begin(): void {
    const { clock, timeoutMs } = this.#options;
    this.#since = clock.now();
    this.#timer ??= clock.setTimer(timeoutMs, this.#check);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #check = (): void => {
    this.#timer = undefined;
    const { clock, timeoutMs, isStalled, onStall } = this.#options;
    if (!isStalled()) return;
    const left = this.#since + timeoutMs - clock.now();
    if (left <= 0) onStall();
    else this.#timer = clock.setTimer(left, this.#check);
  };
}
