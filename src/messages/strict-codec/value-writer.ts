import { isWorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import type { FrameRoom, FrameWriter } from '../../frames/frame-writer.js';
import type { Insert } from '../../frames/insert.js';
import { type FrameLimits, maxSupportedDepth } from '../../frames/limits.js';
import { complaints, frameTooLarge, maxUint64, minInt64, refusedValue, stepOf, unreadableValue } from '../check-value.js';
import { describeForeignObject } from '../foreign-object.js';
import { isForeignObjectPrototype } from '../plain-object.js';
import { isWellFormed } from '../text.js';
import { EncodedKeys } from './encoded-keys.js';
import { byteLengthOf, millisecondsOf, plainViewOf } from './intrinsics.js';
import type { NativeText } from './native-text.js';
import { TextWriter, writeShortText } from './text-writer.js';
import { ScalarWriter, writeHeader, writeTimestamp } from './write-scalars.js';

/** Strings of at most so many units are written by hand: a call into the platform costs more than that. */
const shortText = 40;
/** Strings of more units are measured before room is made for them. */
const longText = 4_096;
/** Binary data from this size on stays outside the slab, as a chunk of its own. */
const leastInsertBytes = 4_096;
/** Room behind large data for what mostly follows it in a message; without it, the data would be copied again to make some. */
const roomBehindData = 256;
/** The longest number, time or header. */
const longestScalar = 16;
/** The longest key in the short form of a string. */
const longestShortKey = 32;

const nowhere: FrameRoom = { bytes: new Uint8Array(0), start: 0 };

/** How a value is written. */
export interface WriteOptions {
  readonly limits: FrameLimits;
  /** What the value is called in errors. */
  readonly name: string;
  /** Whether large binary data may stand outside the slab. */
  readonly inserts: boolean;
  /** Binary data that was handed over, and need not be copied. */
  readonly isTransferred?: ((bytes: Uint8Array) => boolean) | undefined;
}

/** A value is refused: what is wrong with it, and how many steps lead to it. */
class Refusal {
  readonly complaint: string;
  readonly depth: number;

  constructor(complaint: string, depth: number) {
    this.complaint = complaint;
    this.depth = depth;
  }
}

/**
 * Encodes and checks values in one pass, by the sender's rules ({@link checkValue}). Every property is read once, so a
 * value that changes meanwhile is sent as it was read. One frame at a time: while it is {@link busy}, and a getter of the
 * value encodes something else, another writer must be used.
 */
export class ValueWriter {
  readonly #text: TextWriter;
  readonly #scalars = new ScalarWriter();
  readonly #keys = new EncodedKeys();
  /** The step that leads to the value at each depth. */
  readonly #steps: (string | number)[] = [];
  #frames: FrameWriter | undefined;
  #room = nowhere;
  #bytes = nowhere.bytes;
  #position = 0;
  #inserts: Insert[] | undefined;
  #insertedBytes = 0;
  #options: WriteOptions | undefined;
  #elements = 0;
  #maxElements = 0;
  #maxDepth = 0;
  #maxMapEntries = 0;
  #maxFrameBytes = 0;

  constructor(native: NativeText | undefined) {
    this.#text = new TextWriter(native);
  }

  /** Whether a frame is being written. */
  get busy(): boolean {
    return this.#frames !== undefined;
  }

  /**
   * Adds a frame to the batch: a message of these elements, which count as one deep. Only one of them, the one that `options` names,
   * may be at fault.
   * @returns the size of its body.
   * @throws INVALID_VALUE, FRAME_TOO_LARGE; the batch is as it was then.
   */
  writeMessage(frames: FrameWriter, elements: readonly unknown[], options: WriteOptions): number {
    this.#begin(frames, options);
    try {
      const count = elements.length;
      this.#elements = 1 + count;
      this.#position = writeHeader(count, 0x90, 16, 0xdb, true, this.#bytes, this.#position);
      for (let index = 0; index < count; index += 1) this.#value(elements[index], 1);
      return this.#commit(frames);
    } catch (error) {
      throw this.#explain(frames, error);
    } finally {
      this.#release();
    }
  }

  /** The same, for any value. */
  writeValue(frames: FrameWriter, value: unknown, options: WriteOptions): number {
    this.#begin(frames, options);
    try {
      this.#elements = 1;
      this.#value(value, 0);
      return this.#commit(frames);
    } catch (error) {
      throw this.#explain(frames, error);
    } finally {
      this.#release();
    }
  }

  #begin(frames: FrameWriter, options: WriteOptions): void {
    const { limits } = options;
    this.#frames = frames;
    this.#options = options;
    this.#maxElements = limits.maxElements;
    this.#maxDepth = Math.min(limits.maxDepth, maxSupportedDepth);
    this.#maxMapEntries = limits.maxMapEntries;
    this.#maxFrameBytes = limits.maxFrameBytes;
    const room = frames.begin();
    this.#room = room;
    this.#bytes = room.bytes;
    this.#position = room.start;
    this.#insertedBytes = 0;
    this.#keys.rewind();
  }

  #commit(frames: FrameWriter): number {
    const size = this.#size();
    if (size > this.#maxFrameBytes) throw frameTooLarge(size, this.#maxFrameBytes);
    return frames.commit(this.#room, this.#position, this.#inserts);
  }

  #explain(frames: FrameWriter, error: unknown): unknown {
    frames.rollback(this.#room);
    if (isWorkerRuntimeError(error)) return error;
    const name = this.#options?.name ?? 'value';
    if (!(error instanceof Refusal)) return unreadableValue(name, error);
    // The message's own array is no step.
    const steps = this.#steps.slice(2, error.depth + 1).map((step) => stepOf(String(step)));
    return refusedValue(name, steps, error.complaint);
  }

  #release(): void {
    // Neither a large frame nor the keys of a refused one are kept alive.
    this.#frames = undefined;
    this.#options = undefined;
    this.#inserts = undefined;
    this.#scalars.release();
    this.#room = nowhere;
    this.#bytes = nowhere.bytes;
  }

  #size(): number {
    return this.#position - this.#room.start + this.#insertedBytes;
  }

  /** @param depth containers around the value. */
  #value(value: unknown, depth: number): void {
    this.#reserve(longestScalar);
    switch (typeof value) {
      case 'string':
        return this.#string(value, depth, complaints.loneSurrogate);
      case 'number':
        this.#position = this.#scalars.number(value, this.#bytes, this.#position);
        return;
      case 'boolean':
        return this.#byte(value ? 0xc3 : 0xc2);
      case 'undefined':
        return this.#byte(0xc0);
      case 'object':
        return value === null ? this.#byte(0xc0) : this.#object(value, depth);
      case 'bigint':
        if (value < minInt64 || value > maxUint64) throw new Refusal(complaints.tooManyBits, depth);
        this.#position = this.#scalars.bigint(value, this.#bytes, this.#position);
        return;
      default:
        throw new Refusal(complaints.noData(typeof value), depth);
    }
  }

  #object(value: object, depth: number): void {
    if (Array.isArray(value)) return this.#array(value, depth);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null || isForeignObjectPrototype(prototype)) {
      return this.#map(value as Readonly<Record<string, unknown>>, depth);
    }
    if (value instanceof Uint8Array) return this.#binary(value);
    if (!(value instanceof Date)) throw new Refusal(describeForeignObject(value), depth);
    const milliseconds = millisecondsOf(value);
    if (Number.isNaN(milliseconds)) throw new Refusal(complaints.invalidDate, depth);
    this.#position = writeTimestamp(milliseconds, this.#bytes, this.#position);
  }

  #array(value: readonly unknown[], depth: number): void {
    const count = value.length;
    // A proxy of an array may say anything.
    if (typeof count !== 'number' || !(count >= 0 && Math.floor(count) === count)) throw new TypeError('The length of an array is not a length.');
    this.#enter(count, depth);
    this.#position = writeHeader(count, 0x90, 16, 0xdb, true, this.#bytes, this.#position);
    for (let index = 0; index < count; index += 1) {
      const item = value[index];
      if (typeof item === 'number') {
        this.#reserve(longestScalar);
        this.#position = this.#scalars.number(item, this.#bytes, this.#position);
        continue;
      }
      this.#steps[depth + 1] = index;
      this.#value(item, depth + 1);
    }
  }

  #map(value: Readonly<Record<string, unknown>>, depth: number): void {
    const keys = Object.keys(value);
    const count = keys.length;
    if (count > this.#maxMapEntries) throw new Refusal(complaints.tooManyEntries(count, this.#maxMapEntries), depth);
    this.#enter(2 * count, depth);
    this.#position = writeHeader(count, 0x80, 16, 0xdd, true, this.#bytes, this.#position);
    for (let index = 0; index < count; index += 1) {
      const key = keys[index] as string;
      this.#steps[depth + 1] = key;
      if (key === '__proto__') throw new Refusal(complaints.protoKey, depth + 1);
      this.#key(key, depth);
      this.#value(value[key], depth + 1);
    }
  }

  #key(key: string, depth: number): void {
    this.#reserve(longestShortKey);
    const end = this.#keys.write(key, this.#bytes, this.#position);
    if (end === this.#position) this.#string(key, depth, complaints.loneSurrogateInKey);
    else this.#position = end;
  }

  /** Accounts for a container and its contents before they are read: a cycle ends at the depth, a huge array at its length. */
  #enter(contents: number, depth: number): void {
    if (depth >= this.#maxDepth) throw new Refusal(complaints.tooDeep(this.#maxDepth), depth);
    this.#elements += contents;
    if (this.#elements > this.#maxElements) throw new Refusal(complaints.tooManyElements(this.#maxElements), depth);
  }

  #string(text: string, depth: number, complaint: string): void {
    const units = text.length;
    if (units <= shortText) {
      this.#reserve(longestScalar + 3 * units);
      const at = this.#position;
      // Guessing that a character is a byte; where it is not, the string moves one byte on.
      const from = at + (units < 32 ? 1 : 2);
      const to = writeShortText(text, this.#bytes, from);
      if (to < 0) throw new Refusal(complaint, depth);
      this.#finishString(at, from, to);
      return;
    }
    if (this.#size() + units > this.#maxFrameBytes) throw frameTooLarge(this.#size() + units, this.#maxFrameBytes);
    if (!isWellFormed(text)) throw new Refusal(complaint, depth);
    const most = units > longText ? this.#text.measure(text) : 3 * units;
    if (units > longText && this.#size() + most > this.#maxFrameBytes) throw frameTooLarge(this.#size() + most, this.#maxFrameBytes);
    this.#reserve(longestScalar + most);
    const at = this.#position;
    const bytesGuess = units > longText ? most : units;
    const from = at + (bytesGuess < 0x100 ? 2 : bytesGuess < 0x1_0000 ? 3 : 5);
    this.#finishString(at, from, this.#text.write(text, this.#bytes, from));
  }

  /** Writes the header of a string that stands at `from…to`, and moves the string if its header is longer than was guessed. */
  #finishString(at: number, from: number, to: number): void {
    const bytes = to - from;
    const header = bytes < 32 ? 1 : bytes < 0x100 ? 2 : bytes < 0x1_0000 ? 3 : 5;
    if (from !== at + header) this.#bytes.copyWithin(at + header, from, to);
    writeHeader(bytes, 0xa0, 32, 0xd9, false, this.#bytes, at);
    this.#position = at + header + bytes;
  }

  #binary(value: Uint8Array): void {
    const length = byteLengthOf(value);
    const size = this.#size() + length;
    if (size > this.#maxFrameBytes) throw frameTooLarge(size, this.#maxFrameBytes);
    const isInsert = length >= leastInsertBytes && this.#options?.inserts === true;
    this.#position = writeHeader(length, 0, 0, 0xc4, false, this.#bytes, this.#position);
    if (isInsert) {
      const bytes = this.#options?.isTransferred?.(value) === true ? plainViewOf(value, length) : new Uint8Array(value);
      this.#inserts ??= [];
      this.#inserts.push({ after: this.#position - this.#room.start, bytes });
      this.#insertedBytes += length;
      return;
    }
    this.#reserve(length >= leastInsertBytes ? length + roomBehindData : length);
    this.#bytes.set(value, this.#position);
    this.#position += length;
  }

  #byte(byte: number): void {
    this.#bytes[this.#position] = byte;
    this.#position += 1;
  }

  #reserve(count: number): void {
    if (this.#bytes.length - this.#position >= count) return;
    const size = this.#size();
    if (size > this.#maxFrameBytes) throw frameTooLarge(size, this.#maxFrameBytes);
    const frames = this.#frames as FrameWriter;
    const start = this.#room.start;
    this.#room = frames.enlarge(this.#room, this.#position, count);
    this.#bytes = this.#room.bytes;
    this.#position += this.#room.start - start;
  }
}
