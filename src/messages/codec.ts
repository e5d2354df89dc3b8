/// <reference path="./msgpackr-no-eval.d.ts" />
// This entry of msgpackr is the same file for import and require, and it has neither the native extractor, which would
// parse hostile bytes in C++, nor a way to `new Function`. The main entry brings both on Node.
import { Packr } from 'msgpackr/index-no-eval';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { FrameWriter } from '../frames/frame-writer.js';
import type { Insert } from '../frames/insert.js';
import type { FrameLimits } from '../frames/limits.js';
import { foundBinary, foundLeadingMark, scanValue } from '../frames/scan.js';
import { doubleLeadingMarks } from './leading-marks.js';
import { separateBinary } from './separate-binary.js';

/** Turns values into MessagePack and back (docs/protocol.md, section 2). */
export interface ValueCodec {
  /**
   * Encodes a value that the sender's check has accepted. undefined becomes nil, −0 becomes 0.
   * @returns bytes that nobody writes to afterwards; they may be a view of a larger buffer.
   * @throws INVALID_VALUE if the value changed since it was checked, or cannot be read.
   */
  encode(value: unknown): Uint8Array;
  /**
   * Decodes one value, after every rule of the value format was checked. nil becomes null, integers beyond ±2^53 become
   * bigint, timestamps become `Date` (to the millisecond), maps become plain objects whose keys are all their own.
   * Binary data becomes a plain `Uint8Array`; it has its memory to itself, except where it is most of a frame that lies
   * in a buffer of its own: then it is a view of that buffer.
   * @throws PROTOCOL_ERROR
   */
  decode(body: Uint8Array, limits: FrameLimits): unknown;
  /**
   * The same for `bytes[start…end)`, for a codec that can do without a view of them. Optional.
   * @throws PROTOCOL_ERROR
   * @internal
   */
  decodePart?(bytes: Uint8Array, start: number, end: number, limits: FrameLimits): unknown;
  /**
   * The same for `bytes[start…end)` with the inserts, of which those that are exactly the data of a bin become values as they are: the inserts are given away.
   * What is made of the bytes, and what is refused and where, is that of the body in one piece. Optional.
   * @throws PROTOCOL_ERROR
   * @internal
   */
  decodePieces?(bytes: Uint8Array, start: number, end: number, inserts: readonly Insert[], limits: FrameLimits): unknown;
  /**
   * Encodes a message: the sender's check and the encoding in one pass, so that every property is read once. Optional; a codec without it
   * is given values that were checked.
   * @param elements the message, what is absent at the end left out; already checked but for one of them.
   * @param name what that one is called in errors.
   * @returns bytes as those of {@link encode}.
   * @throws INVALID_VALUE with `details: { path }`; FRAME_TOO_LARGE with `details: { limit, size }`.
   * @internal
   */
  encodeElements?(elements: readonly unknown[], name: string, limits: FrameLimits): Uint8Array;
  /**
   * The same, as a frame that is added to a batch, without a body in between. Optional.
   * @param isTransferred tells binary data that was handed over from such as its owner may still change. Of the former, large
   * ones go into the batch as they are; everything else is copied.
   * @returns the size of the frame's body.
   * @throws what {@link encodeElements} throws. The batch is as it was then.
   * @internal
   */
  encodeInto?(
    frames: FrameWriter,
    elements: readonly unknown[],
    name: string,
    limits: FrameLimits,
    isTransferred?: (bytes: Uint8Array) => boolean,
  ): number;
}

/** What msgpackr's output buffer has at the start, and goes back to once a large value made it grow beyond the second number. */
const usualBufferBytes = 8_192;
const largestKeptBufferBytes = 512 * 1024;

/**
 * The reference: msgpackr behind the scan and the sender's check. It is what `strictCodec` is compared with, and an alternative to it, at about
 * half the speed. All of one copy of the library share msgpackr's output buffer.
 */
export function msgpackrCodec(): ValueCodec {
  // No `structures`, `sequential`, `trusted`: with them msgpackr would keep state between values. `useToJSON: false`: an
  // entry of a map may be called toJSON.
  const packr = new Packr({
    useRecords: false,
    mapsAsObjects: true,
    structuredClone: false,
    int64AsType: 'auto',
    moreTypes: false,
    bundleStrings: false,
    copyBuffers: false,
    encodeUndefinedAsNil: true,
    variableMapSize: true,
    useToJSON: false,
  });
  return {
    encode(value) {
      let body: Uint8Array;
      try {
        body = packr.encode(value);
      } catch (cause) {
        throw new WorkerRuntimeError('INVALID_VALUE', 'The value could not be encoded; send plain data that does not change meanwhile.', { cause });
      }
      // msgpackr would give every later buffer the size of the largest value, and a short message would pin megabytes.
      if (body.buffer.byteLength > largestKeptBufferBytes) packr.useBuffer(sameKindOfBytes(body, usualBufferBytes));
      return body;
    },
    decode(body, limits) {
      const found = scanValue(body, limits);
      const source = (found & foundLeadingMark) === 0 ? body : doubleLeadingMarks(body);
      let value: unknown;
      try {
        value = packr.decode(source);
      } catch {
        // Not reached by any value that the scan accepts; msgpackr's own message could quote the payload.
        throw new WorkerRuntimeError('PROTOCOL_ERROR', 'The frame is not acceptable: its value cannot be decoded.');
      }
      return (found & foundBinary) === 0 ? value : separateBinary(value, source);
    },
  };
}

/** New bytes of the class that msgpackr writes to: a Buffer on Node, which the core does not know by name. */
function sameKindOfBytes(sample: Uint8Array, length: number): Uint8Array {
  return Reflect.construct(Uint8Array, [length], sample.constructor) as Uint8Array;
}
