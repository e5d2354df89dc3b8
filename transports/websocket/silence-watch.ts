/** Intervals without a byte after which the other side is lost. */
const maxSilentIntervals = 3;

/** What a {@link SilenceWatch} needs. */
export interface SilenceWatchOptions {
  /** `Infinity`: it never looks. */
  readonly intervalMs: number;
  /** Bytes that were read in all; a constant where that is not known. */
  bytesRead(): number;
  ping(): void;
  /** Nothing came for `silentMs`, although it was asked for. */
  onSilence(silentMs: number): void;
}

/** Asks a peer that says nothing whether it is there, and notices that it is not. A host that was busy itself has looked only once meanwhile. */
export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #signsOfLife = 0;
  #bytesRead = -1;
  #silentIntervals = 0;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
  }

  start(): void {
    if (!Number.isFinite(this.#options.intervalMs)) return;
    this.#timer = setInterval(() => this.#look(), this.#options.intervalMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  noteSign(): void {
    this.#signsOfLife += 1;
  }

  #look(): void {
    const bytesRead = this.#options.bytesRead();
    const alive = this.#signsOfLife > 0 || bytesRead !== this.#bytesRead;
    this.#signsOfLife = 0;
    this.#bytesRead = bytesRead;
    this.#silentIntervals = alive ? 0 : this.#silentIntervals + 1;
    if (this.#silentIntervals >= maxSilentIntervals) this.#options.onSilence(maxSilentIntervals * this.#options.intervalMs);
    else if (this.#silentIntervals > 0) this.#options.ping();
  }
}
