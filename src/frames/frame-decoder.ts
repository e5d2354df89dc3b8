import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { type Insert, joinInserts } from './insert.js';
import { frameHeaderBytes } from './limits.js';

/** The least that is reserved for a frame that is split over chunks. */
const smallestReserve = 64;
/** A frame that is split gets room for this many times the bytes that have arrived of it, never more than it needs. */
const reserveFactor = 4;
/** Chunks from this size on may stand for a payload as they are; smaller ones are cheaper to copy. */
const leastKeptBytes = 8_192;

/**
 * Takes one frame's body. The bytes are the receiver's to keep, not to write to: they may be a view of the chunk.
 * @returns false to stop: the rest of the chunk and all later chunks are dropped.
 */
export type FrameReceiver = (body: Uint8Array) => boolean;

/**
 * The same, of a body that may be in pieces: `bytes[start…end)` with the inserts, which are chunks as they arrived. Without inserts it is all of the body.
 * @param bodyBytes size of the body, inserts included.
 */
export type FramePiecesReceiver = (
  bytes: Uint8Array,
  start: number,
  end: number,
  bodyBytes: number,
  inserts: readonly Insert[] | undefined,
) => boolean;

/**
 * Cuts a stream of bytes into frames (docs/protocol.md, section 1).
 *
 * A body that lies within one chunk is a view of it; any other is copied once into a buffer of its own, but for the
 * payloads that {@link FrameDecoder.pushPieces} leaves where they are. Memory grows with the bytes that arrived, to at most four
 * times their number, and never with a length that was only announced: a chunk is kept only if it is all of its buffer. A frame
 * that arrives byte by byte costs linear time.
 */
export class FrameDecoder {
  /**
   * Largest body, in bytes; judged when a frame's header is complete. May be changed at any time, also by the receiver of
   * a frame: it then holds for the next frame of the same chunk.
   */
  maxFrameBytes: number;
  /** Bytes of the header that have arrived, and their value so far. */
  #headerBytes = 0;
  #length = 0;
  /** What is gathered of the body; undefined between frames. */
  #body: Uint8Array | undefined;
  /** Bytes of the body that have arrived, and how many of them lie in chunks that were kept. */
  #received = 0;
  #keptBytes = 0;
  #kept: Insert[] | undefined;
  #state: 'open' | 'delivering' | 'stopped' = 'open';
  #failure: WorkerRuntimeError | undefined;

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes;
  }

  /** Bytes of an incomplete frame that wait for the rest, its header included. */
  get bufferedBytes(): number {
    return this.#headerBytes + this.#received;
  }

  /**
   * Takes bytes as they were read and hands over every frame that they complete, in order, before it returns.
   * @throws PROTOCOL_ERROR for a length of 0 or above `maxFrameBytes`, as soon as the header is complete and after the
   * frames before it were handed over. From then on every push throws the same error. What `onFrame` throws passes
   * through, and the decoder is stopped, since the rest of the chunk is lost. INTERNAL_ERROR if called by a receiver of it.
   */
  push(chunk: Uint8Array, onFrame: FrameReceiver): void {
    this.#push(chunk, (bytes, start, end) => onFrame(bytes.subarray(start, end)), false);
  }

  /**
   * The same for a receiver that takes bodies in pieces. A chunk of at least 8 KiB that lies all within a body, is the whole of its buffer, and follows the
   * head of a MessagePack bin of exactly its size, becomes an insert: it is what a sender wrote apart, and is not copied. The receiver may give its buffer
   * away. Whether it really is a bin is for whoever decodes; text can look like the head of one.
   */
  pushPieces(chunk: Uint8Array, onFrame: FramePiecesReceiver): void {
    this.#push(chunk, onFrame, true);
  }

  #push(chunk: Uint8Array, onFrame: FramePiecesReceiver, inPieces: boolean): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#state === 'stopped') return;
    if (this.#state === 'delivering') throw new WorkerRuntimeError('INTERNAL_ERROR', 'Bytes were pushed from within the receiver of a frame.');
    this.#state = 'delivering';
    let next: 'open' | 'stopped' = 'stopped';
    try {
      if (this.#cut(chunk, onFrame, inPieces)) next = 'open';
    } finally {
      this.#state = next;
    }
  }

  /** @returns whether the receiver wants more. */
  #cut(chunk: Uint8Array, onFrame: FramePiecesReceiver, inPieces: boolean): boolean {
    const end = chunk.length;
    let position = 0;
    while (position < end) {
      if (this.#headerBytes < frameHeaderBytes) {
        // A header may be cut anywhere too.
        const stop = Math.min(end, position + frameHeaderBytes - this.#headerBytes);
        this.#headerBytes += stop - position;
        for (; position < stop; position += 1) this.#length = this.#length * 256 + (chunk[position] as number);
        if (this.#headerBytes < frameHeaderBytes) break;
        this.#judgeLength();
        if (position === end) break;
      }
      const length = this.#length;
      const start = position;
      if (this.#received === 0 && end - start >= length) {
        position = start + length;
        this.#headerBytes = 0;
        this.#length = 0;
        if (!onFrame(chunk, start, position, length, undefined)) return false;
        continue;
      }
      position = Math.min(end, start + length - this.#received);
      if (inPieces && start === 0 && position === end && this.#isPayload(chunk)) this.#keep(chunk);
      else this.#gather(chunk, start, position);
      if (this.#received === length && !this.#deliver(onFrame, inPieces)) return false;
    }
    return true;
  }

  /** Hands over the body that was gathered. */
  #deliver(onFrame: FramePiecesReceiver, inPieces: boolean): boolean {
    const length = this.#length;
    const body = this.#body as Uint8Array;
    const kept = this.#kept;
    const gathered = length - this.#keptBytes;
    this.#headerBytes = 0;
    this.#length = 0;
    this.#received = 0;
    this.#keptBytes = 0;
    this.#body = undefined;
    this.#kept = undefined;
    if (kept === undefined || inPieces) return onFrame(body, 0, gathered, length, kept);
    return onFrame(joinInserts(body, 0, gathered, kept), 0, length, length, undefined);
  }

  /** Whether the chunk is what the head of a bin announces that arrived just before it. */
  #isPayload(chunk: Uint8Array): boolean {
    const { length } = chunk;
    const body = this.#body;
    // A view would keep what else its buffer holds, and the buffer could not be given away.
    if (length < leastKeptBytes || body === undefined || length !== chunk.buffer.byteLength) return false;
    const at = this.#received - this.#keptBytes;
    const since = at - (this.#kept?.at(-1)?.after ?? 0);
    if (since >= 5 && body[at - 5] === 0xc6 && readUint32(body, at - 4) === length) return true;
    return since >= 3 && body[at - 3] === 0xc5 && (readUint32(body, at - 4) & 0xffff) === length;
  }

  #keep(chunk: Uint8Array): void {
    const kept: Insert[] = this.#kept ?? [];
    kept.push({ after: this.#received - this.#keptBytes, bytes: chunk });
    this.#kept = kept;
    this.#received += chunk.length;
    this.#keptBytes += chunk.length;
  }

  #judgeLength(): void {
    if (this.#length > 0 && this.#length <= this.maxFrameBytes) return;
    const message =
      this.#length === 0
        ? 'A frame announces a length of 0; every frame has a body.'
        : `A frame announces ${this.#length} bytes; at most ${this.maxFrameBytes} are allowed here.`;
    this.#failure = new WorkerRuntimeError('PROTOCOL_ERROR', message, { details: { length: this.#length, limit: this.maxFrameBytes } });
    throw this.#failure;
  }

  /** Adds a part of the body. Without kept chunks the buffer is exactly the body once the last part is in. */
  #gather(chunk: Uint8Array, from: number, to: number): void {
    const gathered = this.#received - this.#keptBytes;
    const needed = gathered + (to - from);
    let body = this.#body;
    if (body === undefined || body.length < needed) {
      const room = new Uint8Array(Math.min(this.#length - this.#keptBytes, Math.max(smallestReserve, needed * reserveFactor)));
      if (body !== undefined) room.set(body.subarray(0, gathered));
      body = room;
      this.#body = body;
    }
    body.set(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to), gathered);
    this.#received += to - from;
  }
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}
