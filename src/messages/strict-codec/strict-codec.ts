import { WorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import { FrameWriter } from '../../frames/frame-writer.js';
import { type FrameLimits, maxSupportedDepth } from '../../frames/limits.js';
import type { ValueCodec } from '../codec.js';
import { findNativeText } from './native-text.js';
import { ValueReader } from './value-reader.js';
import { ValueWriter, type WriteOptions } from './value-writer.js';

/** What {@link ValueCodec.encode} allows: what was checked before need only be possible. */
const widest: FrameLimits = { maxFrameBytes: 0xffff_ffff, maxDepth: maxSupportedDepth, maxElements: 2 ** 29, maxMapEntries: 2 ** 29 };
const inOnePiece: WriteOptions = { limits: widest, name: 'value', inserts: false };

/** How the strict codec is made. */
export interface StrictCodecOptions {
  /** Do without the text methods of the platform's byte arrays (default: use them where there are any). For tests, and for comparison. */
  readonly portable?: boolean;
}

/**
 * The codec of this library, by hand: the rules of the value format are checked in the pass that decodes, and the
 * sender's in the pass that encodes, straight into the batch.
 */
export function strictCodec(options: StrictCodecOptions = {}): Required<ValueCodec> {
  const native = options.portable === true ? undefined : findNativeText();
  const reader = new ValueReader(native);
  const firstWriter = new ValueWriter(native);
  const own = new FrameWriter();
  /** A getter that encodes something else, in the midst of its value, needs another one. */
  const writer = (): ValueWriter => (firstWriter.busy ? new ValueWriter(native) : firstWriter);
  const takeBody = (): Uint8Array => {
    const [body] = own.lastBody();
    own.take();
    if (body === undefined) throw new WorkerRuntimeError('INTERNAL_ERROR', 'A value was encoded to nothing.');
    return body;
  };
  return {
    encode(value) {
      writer().writeValue(own, value, inOnePiece);
      return takeBody();
    },
    encodeElements(elements, name, limits) {
      writer().writeMessage(own, elements, { limits, name, inserts: false });
      return takeBody();
    },
    encodeInto(frames, elements, name, limits, isTransferred) {
      return writer().writeMessage(frames, elements, { limits, name, inserts: true, isTransferred });
    },
    decode: (body, limits) => reader.read(body, 0, body.length, limits),
    decodePart: (bytes, start, end, limits) => reader.read(bytes, start, end, limits),
    decodePieces: (bytes, start, end, inserts, limits) => reader.readPieces(bytes, start, end, inserts, limits),
  };
}
