import { frameHeaderBytes } from '../frames/limits.js';

/** A prime, so that bytes that went astray are noticed whatever power of two they went astray by. */
const patternLength = 251;
const pattern = Uint8Array.from({ length: patternLength * 64 }, (_, index) => index % patternLength);

/** One whole frame, header included, in memory of its own. The bytes of its body count upwards from `first`, so that their place can be told. */
export function numberedFrame(bodyBytes: number, first = 0): Uint8Array {
  const frame = new Uint8Array(frameHeaderBytes + bodyBytes);
  frame[0] = bodyBytes >>> 24;
  frame[1] = bodyBytes >>> 16;
  frame[2] = bodyBytes >>> 8;
  frame[3] = bodyBytes;
  const start = first % patternLength;
  for (let at = 0; at < bodyBytes; ) {
    const from = (start + at) % patternLength;
    const part = pattern.subarray(from, Math.min(pattern.length, from + bodyBytes - at));
    frame.set(part, frameHeaderBytes + at);
    at += part.length;
  }
  return frame;
}

/** All bytes in one piece of memory of its own. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** Whether two runs of bytes are the same. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/** The bytes that are still to arrive, in order. */
export class ExpectedBytes {
  readonly #runs: Uint8Array[] = [];
  #offset = 0;
  #length = 0;

  /** How many bytes are still to arrive. */
  get length(): number {
    return this.#length;
  }

  /** Copies what was sent. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#runs.push(bytes);
    this.#length += bytes.length;
  }

  /** Takes the last run back: it turned out that it was not sent. */
  removeLast(): void {
    this.#length -= this.#runs.pop()?.length ?? 0;
  }

  /** @returns where `chunk` differs from what is next, in bytes from its beginning; undefined if it is what was expected. */
  take(chunk: Uint8Array): number | undefined {
    let at = 0;
    while (at < chunk.length) {
      const run = this.#runs[0];
      if (run === undefined) return at;
      const size = Math.min(run.length - this.#offset, chunk.length - at);
      for (let index = 0; index < size; index += 1) if (chunk[at + index] !== run[this.#offset + index]) return at + index;
      at += size;
      this.#offset += size;
      this.#length -= size;
      if (this.#offset === run.length) {
        this.#runs.shift();
        this.#offset = 0;
      }
    }
    return undefined;
  }
}
