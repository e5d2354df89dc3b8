import type { Clock, Timer } from '../interfaces/platform.js';

/** Pings in a row that brought not a byte, after which a worker is declared dead (docs/protocol.md, section 7). */
export const maxMissedHeartbeats = 3;

/** What liveness watches. */
export interface LivenessOptions {
  readonly clock: Clock;
  readonly heartbeatMs: number;
  /** When a byte arrived last, an instant of the clock. */
  lastReceivedAt(): number;
  ping(): void;
  onDead(silentMs: number): void;
}

/** Pings a silent worker and declares it dead when nothing at all comes back. */
export class Liveness {
  readonly #options: LivenessOptions;
  #timer: Timer | undefined;
  #missed = 0;
  /** When the last ping was sent, unless something has arrived since. */
  #pingedAt: number | undefined;
  #expectedAt = 0;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#schedule();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(): void {
    const { clock, heartbeatMs } = this.#options;
    this.#expectedAt = clock.now() + heartbeatMs;
    this.#timer = clock.setTimer(heartbeatMs, () => this.#check());
  }

  #check(): void {
    const { clock, heartbeatMs } = this.#options;
    const now = clock.now();
    const lastReceivedAt = this.#options.lastReceivedAt();
    // A timer that fires far too late says that this process was blocked: the answers may lie unread, so nobody is blamed.
    const hostWasBlocked = now - this.#expectedAt > heartbeatMs / 2;
    // The answer to the last ping may be a whole interval old, and a timer is always a little late: silence alone says nothing.
    if (this.#pingedAt === undefined || lastReceivedAt >= this.#pingedAt) this.#missed = 0;
    else if (!hostWasBlocked) this.#missed += 1;
    if (this.#missed >= maxMissedHeartbeats) return this.#options.onDead(now - lastReceivedAt);
    const silent = now - lastReceivedAt >= heartbeatMs;
    this.#pingedAt = silent ? now : undefined;
    if (silent) this.#options.ping();
    this.#schedule();
  }
}
