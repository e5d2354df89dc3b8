/**
 * What was sent and not confirmed, in order, for a session that can be resumed (docs/protocol.md, section 8). Bounded in bytes: a sender that
 * has reached the bound holds bulk data back until the other side confirms some of it.
 */
export class ReplayBuffer {
  readonly #maxBytes: number;
  #bodies: (readonly Uint8Array[])[] = [];
  #head = 0;
  /** The count of the first message that is kept. */
  #firstCount = 1;
  #bytes = 0;
  #overrun = false;

  /** @param maxBytes bodies that are kept; messages that may not wait (control) can go over it, up to twice as much. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether bulk data should wait for a receipt. */
  get full(): boolean {
    return !this.#overrun && this.#bytes >= this.#maxBytes;
  }
  /** What is kept costs about so many bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps the body of the next counted message, in the pieces in which it lies. The bytes must not change any more, nor move to another thread. */
  push(pieces: readonly Uint8Array[]): void {
    if (this.#overrun) return;
    this.#bodies.push(pieces);
    this.#bytes += costOf(pieces);
    if (this.#bytes > this.#maxBytes * 2) this.#giveUp();
  }

  /** Forgets what the other side has counted. */
  trim(count: number): void {
    if (this.#overrun) return;
    while (this.#firstCount <= count && this.#head < this.#bodies.length) {
      this.#bytes -= costOf(this.#bodies[this.#head] as readonly Uint8Array[]);
      this.#bodies[this.#head] = nothing;
      this.#head += 1;
      this.#firstCount += 1;
    }
    if (this.#head === this.#bodies.length || this.#head >= 1_024) {
      this.#bodies.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Whether everything after the message of this count is here. */
  has(count: number): boolean {
    return !this.#overrun && count >= this.#firstCount - 1;
  }

  /** What is kept, oldest first. */
  *bodies(): Iterable<Uint8Array> {
    for (const pieces of this.#bodies.slice(this.#head)) yield joined(pieces);
  }

  #giveUp(): void {
    this.#overrun = true;
    this.#bodies = [];
    this.#head = 0;
    this.#bytes = 0;
  }
}

const nothing: readonly Uint8Array[] = [];
/** What a body costs beside its bytes: a million answers of a few bytes would fill the memory otherwise. */
const keptBodyBytes = 128;

function costOf(pieces: readonly Uint8Array[]): number {
  let bytes = keptBodyBytes;
  for (const piece of pieces) bytes += piece.length;
  return bytes;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const body = new Uint8Array(costOf(pieces) - keptBodyBytes);
  let at = 0;
  for (const piece of pieces) {
    body.set(piece, at);
    at += piece.length;
  }
  return body;
}
