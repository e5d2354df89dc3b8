import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Clock } from '../interfaces/platform.js';

/** Bytes that may be under way in one direction at the start (docs/protocol.md, section 5.2). */
export const initialWindowBytes = 256 * 1024;
/** The largest window that a receiver of this library grants. */
export const maxWindowBytes = 16 * 1024 * 1024;
/** Grants that follow each other faster than this show that the window, not the reader, is the limit. */
const growthIntervalMs = 20;

/** The sender's account: sending is allowed while it is above zero, and may overdraw it by one frame. */
export class SendCredit {
  #remaining = initialWindowBytes;

  get available(): boolean {
    return this.#remaining > 0;
  }
  get remaining(): number {
    return this.#remaining;
  }
  spend(bytes: number): void {
    this.#remaining -= bytes;
  }
  grant(bytes: number): void {
    this.#remaining += bytes;
    if (this.#remaining > Number.MAX_SAFE_INTEGER) this.#remaining = Number.MAX_SAFE_INTEGER;
  }
}

/** The receiver's account: checks the sender and decides when to grant, and how much. */
export class ReceiveCredit {
  readonly #clock: Clock;
  readonly #grant: (bytes: number) => void;
  /** What the sender may still send, as far as it has been told. */
  #remaining = initialWindowBytes;
  #windowBytes = initialWindowBytes;
  #consumedBytes = 0;
  #lastGrantAt = Number.NEGATIVE_INFINITY;

  /** @param grant sends the credit message. */
  constructor(clock: Clock, grant: (bytes: number) => void) {
    this.#clock = clock;
    this.#grant = grant;
  }

  /** Notes that a frame arrived. @throws PROTOCOL_ERROR if the sender had no credit left. */
  receive(bytes: number): void {
    if (this.#remaining <= 0) {
      throw new WorkerRuntimeError('PROTOCOL_ERROR', 'The other side sent an item or one-way message without credit; wait for a credit message.');
    }
    this.#remaining -= bytes;
  }

  /** Notes that the reader took what had arrived; grants when a quarter of the window is free again. */
  consume(bytes: number): void {
    this.#consumedBytes += bytes;
    if (this.#consumedBytes < this.#windowBytes / 4) return;
    const now = this.#clock.now();
    let growth = 0;
    if (now - this.#lastGrantAt < growthIntervalMs && this.#windowBytes < maxWindowBytes) {
      growth = Math.min(this.#windowBytes, maxWindowBytes - this.#windowBytes);
      this.#windowBytes += growth;
    }
    this.#lastGrantAt = now;
    const bytesToGrant = this.#consumedBytes + growth;
    this.#consumedBytes = 0;
    this.#remaining += bytesToGrant;
    this.#grant(bytesToGrant);
  }
}
