// Frames of the raw limit: a 4-byte big-endian length and plain MessagePack by msgpackr, nothing else.
import { Packr, RESERVE_START_SPACE, Unpackr } from 'msgpackr';

/** @typedef {'frame' | 'batch'} Flush a write for each frame, or frames together: at 2 KiB, or else at the end of the turn */

const earlyFlushBytes = 2_048;
/** From here on the last element of a message goes uncopied, beside its envelope. */
const uncopiedFromBytes = 16 * 1024;

const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: true, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'auto' });

/** @param {unknown} value @returns {Uint8Array} with a buffer of its own, which can be transferred */
export function encode(value) {
  return new Uint8Array(packr.pack(value));
}

/** @param {Uint8Array} bytes */
export function decode(bytes) {
  return unpackr.unpack(bytes);
}

/** @param {unknown} value */
export function isLarge(value) {
  return value instanceof Uint8Array && value.byteLength >= uncopiedFromBytes;
}

/** Gathers frames. */
export class FrameBatch {
  #frames = [];
  #bytes = 0;
  #scheduled = false;
  #flush;
  #write;

  /** @param {Flush} flush @param {(pieces: Uint8Array[]) => void} write gets one piece, or an envelope and the bytes that belong to it */
  constructor(flush, write) {
    this.#flush = flush;
    this.#write = write;
  }

  /** @param {unknown[]} message */
  send(message) {
    const last = message[message.length - 1];
    if (isLarge(last)) return this.#sendUncopied(message, last);
    const frame = packr.pack(message, RESERVE_START_SPACE | 4);
    frame.writeUInt32BE(frame.length - 4, 0);
    if (this.#flush === 'frame') return this.#write([frame]);
    this.#frames.push(frame);
    this.#bytes += frame.length;
    if (this.#bytes >= earlyFlushBytes) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.flush());
    }
  }

  flush() {
    this.#scheduled = false;
    if (this.#bytes === 0) return;
    const frames = this.#frames;
    this.#write([frames.length === 1 ? frames[0] : Buffer.concat(frames, this.#bytes)]);
    this.#frames = [];
    this.#bytes = 0;
  }

  #sendUncopied(message, bytes) {
    this.flush();
    const envelope = packr.pack([...message.slice(0, -1), null]);
    // Its last byte is the nil that stands for the bytes; a bin 32 header takes its place.
    const head = Buffer.allocUnsafe(envelope.length + 8);
    head.set(envelope, 4);
    head.writeUInt32BE(envelope.length + 4 + bytes.byteLength, 0);
    head[envelope.length + 3] = 0xc6;
    head.writeUInt32BE(bytes.byteLength, envelope.length + 4);
    this.#write([head, bytes]);
  }
}

/** Finds the frames in chunks of bytes; a frame of several chunks is put together once. */
export class FrameReader {
  #chunks = [];
  #have = 0;
  #need = 4;
  #onMessage;

  /** @param {(message: any[]) => void} onMessage */
  constructor(onMessage) {
    this.#onMessage = onMessage;
  }

  /** A frame whose last element came beside its envelope. @param {Buffer} head with the bin 32 header at its end @param {Buffer} bytes */
  pushEnvelope(head, bytes) {
    // A nil in the place of the header makes it a value of its own again.
    head[head.length - 5] = 0xc0;
    const message = unpackr.unpack(head, { start: 4, end: head.length - 4 });
    message[message.length - 1] = bytes;
    this.#onMessage(message);
  }

  /** @param {Buffer} chunk */
  push(chunk) {
    let data = chunk;
    if (this.#have > 0) {
      this.#chunks.push(chunk);
      this.#have += chunk.length;
      if (this.#have < this.#need) return;
      data = Buffer.concat(this.#chunks, this.#have);
      this.#chunks = [];
      this.#have = 0;
    }
    let at = 0;
    this.#need = 4;
    while (data.length - at >= 4) {
      const end = at + 4 + data.readUInt32BE(at);
      if (data.length < end) {
        this.#need = end - at;
        break;
      }
      this.#onMessage(unpackr.unpack(data, { start: at + 4, end }));
      at = end;
    }
    if (at === data.length) return;
    this.#chunks = [at === 0 ? data : data.subarray(at)];
    this.#have = data.length - at;
  }
}
