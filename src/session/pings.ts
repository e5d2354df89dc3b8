import type { Clock } from '../interfaces/platform.js';

/** Pings that may be waiting for their pong; of more, the oldest are forgotten. */
const maxPings = 16;

/** The pings of one side and the pongs that answer them. */
export class Pings {
  readonly #clock: Clock;
  readonly #send: (nonce: number) => void;
  readonly #waiting = new Map<number, () => void>();
  #nonce = 0;

  /** @param send sends the ping message. */
  constructor(clock: Clock, send: (nonce: number) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Resolves with the round trip in milliseconds; stays pending if no pong comes. */
  ping(): Promise<number> {
    const nonce = this.#nonce++;
    const sentAt = this.#clock.now();
    return new Promise((resolve) => {
      if (this.#waiting.size >= maxPings) this.#waiting.delete(this.#waiting.keys().next().value as number);
      this.#waiting.set(nonce, () => resolve(this.#clock.now() - sentAt));
      this.#send(nonce);
    });
  }

  /** A pong arrived; one that answers nothing is dropped. */
  receive(nonce: number): void {
    const resolve = this.#waiting.get(nonce);
    this.#waiting.delete(nonce);
    resolve?.();
  }

  /** The session is over: nothing will be answered any more. */
  clear(): void {
    this.#waiting.clear();
  }
}
