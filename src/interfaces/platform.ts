/** A timer that has been set; `cancel` is idempotent and harmless after it fired. */
export interface Timer {
  /** Keeps the callback from being called. */
  cancel(): void;
}

/** Time, as the runtime sees it. Nothing in the core reads a clock in any other way; that is what makes simulation possible. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary origin. */
  now(): number;
  /** Wall-clock milliseconds since the Unix epoch, for records that people read. */
  wallTime(): number;
  /** Calls `callback` once after at least `delayMs`. A timer does not keep a process alive that has nothing else to do. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Calls `callback` once at the end of the present turn of the event loop, after promise callbacks that are due. */
  endOfTurn(callback: () => void): void;
  /**
   * Keeps the process alive until the returned timer is cancelled: for whoever waits without a socket or a process of its own, as a worker between two attempts to
   * reach its host. Optional: in a simulation nothing ends by itself.
   */
  keepAlive?(): Timer;
}

/** Randomness. */
export interface Random {
  /** Cryptographically strong bytes (a simulation returns seeded ones). */
  bytes(length: number): Uint8Array;
  /** A number in [0, 1), for jitter; never for secrets. */
  fraction(): number;
}

/** Hashes. */
export interface Crypto {
  /** SHA-256 of `data`, 32 bytes. */
  sha256(data: Uint8Array): Uint8Array;
}

/** What the neutral core needs of the machine. `nodePlatform()` of the `/node` entry is the real one. */
export interface Platform {
  /** Time limits, heartbeats, time stamps. */
  readonly clock: Clock;
  /** Ids, and jitter where something is tried again. */
  readonly random: Random;
  /** Digests of manifests. */
  readonly crypto: Crypto;
}
