import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { frameHeaderBytes } from './limits.js';

/** The least that is reserved for a frame that is split over chunks. */
const smallestReserve = 1_024;
/** A frame that is split gets room for this many times the bytes that have arrived of it, never more than it needs. */
const reserveFactor = 4;

/**
 * Takes one frame's body. The bytes are the receiver's to keep, not to write to: they may be a view of the chunk.
 * @returns false to stop: the rest of the chunk and all later chunks are dropped.
 */
export type FrameReceiver = (body: Uint8Array) => boolean;

/** The same, without a view of the body: it is `bytes[start…end)`. */
export type FramePartReceiver = (bytes: Uint8Array, start: number, end: number) => boolean;

/**
 * Cuts a stream of bytes into frames (docs/protocol.md, section 1).
 *
 * A body that lies within one chunk is a view of it; any other is copied once into a buffer of its own. Memory grows
 * with the bytes that arrived, to at most four times their number, and never with a length that was only announced; a
 * frame that arrives byte by byte costs linear time.
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
  /** The body that is being gathered; undefined between frames. */
  #body: Uint8Array | undefined;
  #received = 0;
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
    this.pushParts(chunk, (bytes, start, end) => onFrame(bytes.subarray(start, end)));
  }

  /** The same for a receiver that can do without a view of each body, which costs as much as reading a small one. */
  pushParts(chunk: Uint8Array, onFrame: FramePartReceiver): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#state === 'stopped') return;
    if (this.#state === 'delivering') throw new WorkerRuntimeError('INTERNAL_ERROR', 'Bytes were pushed from within the receiver of a frame.');
    this.#state = 'delivering';
    let next: 'open' | 'stopped' = 'stopped';
    try {
      if (this.#cut(chunk, onFrame)) next = 'open';
    } finally {
      this.#state = next;
    }
  }

  /** @returns whether the receiver wants more. */
  #cut(chunk: Uint8Array, onFrame: FramePartReceiver): boolean {
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
      const missing = this.#length - this.#received;
      if (end - position < missing) {
        this.#gather(chunk, position, end);
        break;
      }
      const next = position + missing;
      const start = position;
      const gathered = this.#received === 0 ? undefined : this.#gather(chunk, position, next);
      position = next;
      this.#headerBytes = 0;
      this.#length = 0;
      this.#received = 0;
      this.#body = undefined;
      if (gathered === undefined ? !onFrame(chunk, start, next) : !onFrame(gathered, 0, gathered.length)) return false;
    }
    return true;
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

  /** Adds a part of the body. @returns the buffer, which is exactly the body once the last part is in. */
  #gather(chunk: Uint8Array, from: number, to: number): Uint8Array {
    const received = this.#received + (to - from);
    let body = this.#body;
    if (body === undefined || body.length < received) {
      const room = new Uint8Array(Math.min(this.#length, Math.max(smallestReserve, received * reserveFactor)));
      if (body !== undefined) room.set(body.subarray(0, this.#received));
      body = room;
      this.#body = body;
    }
    body.set(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to), this.#received);
    this.#received = received;
    return body;
  }
}
