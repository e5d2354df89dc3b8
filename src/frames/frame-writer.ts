import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { frameHeaderBytes } from './limits.js';

/** Bodies above this size are passed on as they are; smaller ones are cheaper to copy than to write apart. */
const largestCopiedBytes = 4_096;
/** Slabs start small, for the many connections that say little, and double up to the largest. */
const smallestSlabBytes = 2_048;
const largestSlabBytes = 16_384;

/**
 * Gathers frames into a batch of few chunks. Small bodies are copied, each behind its length prefix, into slabs; a
 * large body becomes a chunk of its own, uncopied, and must not be changed after it was appended. Room that was handed
 * over is never written again.
 */
export class FrameWriter {
  #slab = new Uint8Array(0);
  /** Where the present run of small frames begins in the slab, and where it ends. */
  #runStart = 0;
  #cursor = 0;
  #slabBytes = smallestSlabBytes / 2;
  #chunks: Uint8Array[] = [];
  #byteLength = 0;
  #frameCount = 0;

  /** Bytes of the batch, length prefixes included. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Frames of the batch. */
  get frameCount(): number {
    return this.#frameCount;
  }

  /**
   * Adds a frame of this body.
   * @throws INTERNAL_ERROR for a body that no frame can have: empty, or over 2^32 − 1 bytes.
   */
  append(body: Uint8Array): void {
    const length = body.length;
    if (length === 0 || length > 0xffff_ffff) throw new WorkerRuntimeError('INTERNAL_ERROR', `A frame cannot have a body of ${length} bytes.`);
    const copied = length <= largestCopiedBytes;
    const needed = copied ? frameHeaderBytes + length : frameHeaderBytes;
    if (this.#slab.length - this.#cursor < needed) this.#renewSlab(needed);
    const slab = this.#slab;
    const at = this.#cursor;
    slab[at] = length >>> 24;
    slab[at + 1] = length >>> 16;
    slab[at + 2] = length >>> 8;
    slab[at + 3] = length;
    if (copied) slab.set(body, at + frameHeaderBytes);
    this.#cursor = at + needed;
    if (!copied) {
      this.#endRun();
      this.#chunks.push(body);
    }
    this.#byteLength += frameHeaderBytes + length;
    this.#frameCount += 1;
  }

  /** Hands the batch over, for `Connection.send`, and starts a new one. An empty batch is an empty array. */
  take(): Uint8Array[] {
    this.#endRun();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#byteLength = 0;
    this.#frameCount = 0;
    return chunks;
  }

  #endRun(): void {
    if (this.#cursor === this.#runStart) return;
    this.#chunks.push(this.#slab.subarray(this.#runStart, this.#cursor));
    this.#runStart = this.#cursor;
  }

  #renewSlab(needed: number): void {
    this.#endRun();
    this.#slabBytes = Math.min(largestSlabBytes, Math.max(this.#slabBytes * 2, needed));
    this.#slab = new Uint8Array(this.#slabBytes);
    this.#runStart = 0;
    this.#cursor = 0;
  }
}
