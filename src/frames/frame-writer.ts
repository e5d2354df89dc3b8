import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Insert } from './insert.js';
import { frameHeaderBytes } from './limits.js';

/** Bodies above this size are passed on as they are; smaller ones are cheaper to copy than to write apart. */
const largestCopiedBytes = 4_096;
/** Slabs start small, for the many connections that say little, and double up to the largest. */
const smallestSlabBytes = 512;
const largestSlabBytes = 16_384;
/** Room for most frames; less is not worth beginning one in. */
const leastRoomBytes = 256;

/** Where a frame can be written: its body begins at `start`, and the bytes before that are the writer's. */
export interface FrameRoom {
  readonly bytes: Uint8Array;
  readonly start: number;
}

const noInserts: readonly Insert[] = [];
const nowhere: FrameRoom = { bytes: new Uint8Array(0), start: 0 };

/**
 * Gathers frames into a batch of few chunks. Small bodies are copied, each behind its length prefix, into slabs, or are
 * written there by whoever encodes them ({@link begin}, {@link commit}); a large body becomes a chunk of its own,
 * uncopied, and must not be changed after it was appended. Room that was handed over is never written again.
 */
export class FrameWriter {
  #slab = nowhere.bytes;
  /** Where the present run of small frames begins in the slab, and where it ends. */
  #runStart = 0;
  #cursor = 0;
  /** A frame is being written behind the cursor. */
  #lent = false;
  #slabBytes = smallestSlabBytes / 2;
  #chunks: Uint8Array[] = [];
  #insertedBuffers: ArrayBuffer[] | undefined;
  #byteLength = 0;
  #frameCount = 0;
  /** The frame that was added last, for {@link lastBody}. */
  #last = nowhere;
  #lastEnd = 0;
  #lastInserts = noInserts;

  /** Bytes of the batch, length prefixes included. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /**
   * The buffers of all inserts of the batch, undefined if it has none. Whoever encoded them gave them away: the batch may be sent by moving them.
   */
  get insertedBuffers(): readonly ArrayBuffer[] | undefined {
    return this.#insertedBuffers;
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
    assertLength(length);
    const copied = length <= largestCopiedBytes;
    const needed = copied ? frameHeaderBytes + length : frameHeaderBytes;
    if (this.#lent || this.#slab.length - this.#cursor < needed) this.#useSlab(this.#newSlab(needed));
    const at = this.#cursor;
    writeLength(this.#slab, at, length);
    if (copied) this.#slab.set(body, at + frameHeaderBytes);
    this.#cursor = at + needed;
    if (!copied) {
      this.#endRun();
      this.#chunks.push(body);
    }
    this.#last = copied ? { bytes: this.#slab, start: at + frameHeaderBytes } : { bytes: body, start: 0 };
    this.#lastEnd = this.#last.start + length;
    this.#lastInserts = noInserts;
    this.#byteLength += frameHeaderBytes + length;
    this.#frameCount += 1;
  }

  /**
   * Lends room in the slab for the body of the next frame. Nothing happens to the batch until {@link commit}; whoever gives up just
   * calls {@link rollback}. A frame that is added meanwhile, by a getter of the value that is being encoded, goes before
   * this one and elsewhere.
   */
  begin(): FrameRoom {
    if (this.#lent || this.#slab.length - this.#cursor < leastRoomBytes) this.#useSlab(this.#newSlab(leastRoomBytes));
    this.#lent = true;
    return { bytes: this.#slab, start: this.#cursor + frameHeaderBytes };
  }

  /**
   * More room for a frame that was begun: what was written, up to `end`, is copied to where at least `needed` bytes more fit.
   */
  enlarge(room: FrameRoom, end: number, needed: number): FrameRoom {
    if (room.bytes === this.#slab) this.#lent = false;
    const written = end - room.start;
    const least = frameHeaderBytes + written + Math.max(needed, written);
    // What is large by itself gets just what it needs; slabs are for frames to come, too.
    const bytes = needed > largestCopiedBytes ? new Uint8Array(least) : this.#newSlab(least);
    bytes.set(room.bytes.subarray(room.start, end), frameHeaderBytes);
    return { bytes, start: frameHeaderBytes };
  }

  /**
   * Adds the frame that was written to `room` up to `end`, with its inserts, whose buffers are given away.
   * @returns the size of its body.
   * @throws INTERNAL_ERROR as {@link append}.
   */
  commit(room: FrameRoom, end: number, inserts: readonly Insert[] = noInserts): number {
    const { bytes, start } = room;
    let length = end - start;
    for (const insert of inserts) length += insert.bytes.length;
    this.#lent = this.#lent && bytes !== this.#slab;
    assertLength(length);
    const begin = start - frameHeaderBytes;
    writeLength(bytes, begin, length);
    if (bytes !== this.#slab) {
      this.#endRun();
      // Whichever has more room left goes on as the slab.
      if (!this.#lent && bytes.length <= largestSlabBytes && bytes.length - end >= this.#slab.length - this.#cursor) {
        this.#slab = bytes;
        this.#runStart = begin;
        this.#cursor = begin;
      }
    }
    let from = begin;
    for (const insert of inserts) {
      const to = start + insert.after;
      this.#addPiece(bytes, from, to);
      this.#endRun();
      this.#chunks.push(insert.bytes);
      this.#insertedBuffers ??= [];
      this.#insertedBuffers.push(insert.bytes.buffer as ArrayBuffer);
      from = to;
    }
    this.#addPiece(bytes, from, end);
    this.#last = room;
    this.#lastEnd = end;
    this.#lastInserts = inserts;
    this.#byteLength += frameHeaderBytes + length;
    this.#frameCount += 1;
    return length;
  }

  /** Gives the room back; the batch is as it was before {@link begin}. */
  rollback(room: FrameRoom): void {
    if (room.bytes === this.#slab) this.#lent = false;
  }

  /** The body of the frame that was added last, in pieces that nobody writes to any more; none after {@link take}. */
  lastBody(): Uint8Array[] {
    const { bytes, start } = this.#last;
    const pieces: Uint8Array[] = [];
    let from = start;
    for (const insert of this.#lastInserts) {
      pieces.push(bytes.subarray(from, start + insert.after), insert.bytes);
      from = start + insert.after;
    }
    if (from < this.#lastEnd) pieces.push(bytes.subarray(from, this.#lastEnd));
    return pieces;
  }

  /** Hands the batch over, for `Connection.send`, and starts a new one. An empty batch is an empty array. */
  take(): Uint8Array[] {
    this.#endRun();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#insertedBuffers = undefined;
    this.#byteLength = 0;
    this.#frameCount = 0;
    // Or the connection would keep a large frame until the next one.
    this.#last = nowhere;
    this.#lastEnd = 0;
    this.#lastInserts = noInserts;
    return chunks;
  }

  #addPiece(bytes: Uint8Array, from: number, to: number): void {
    if (bytes === this.#slab) this.#cursor = to;
    else if (from < to) this.#chunks.push(bytes.subarray(from, to));
  }

  #endRun(): void {
    if (this.#cursor === this.#runStart) return;
    this.#chunks.push(this.#slab.subarray(this.#runStart, this.#cursor));
    this.#runStart = this.#cursor;
  }

  #useSlab(slab: Uint8Array): void {
    this.#endRun();
    this.#slab = slab;
    this.#lent = false;
    this.#runStart = 0;
    this.#cursor = 0;
  }

  #newSlab(needed: number): Uint8Array {
    this.#slabBytes = Math.min(largestSlabBytes, Math.max(this.#slabBytes * 2, needed));
    return new Uint8Array(Math.max(this.#slabBytes, needed));
  }
}

function assertLength(length: number): void {
  if (length === 0 || length > 0xffff_ffff) throw new WorkerRuntimeError('INTERNAL_ERROR', `A frame cannot have a body of ${length} bytes.`);
}

function writeLength(bytes: Uint8Array, at: number, length: number): void {
  bytes[at] = length >>> 24;
  bytes[at + 1] = length >>> 16;
  bytes[at + 2] = length >>> 8;
  bytes[at + 3] = length;
}
