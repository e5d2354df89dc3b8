import { type Insert, joinInserts } from '../../frames/insert.js';
import { type FrameLimits, maxSupportedDepth } from '../../frames/limits.js';
import { refuseValue } from '../../frames/scan.js';
import { isTimestampAt } from '../../frames/timestamp.js';
import { copyBytes, largestOwnBuffer } from './copy-bytes.js';
import { KeyCache } from './key-cache.js';
import type { NativeText } from './native-text.js';
import { NumberReader } from './number-reader.js';
import { TextReader } from './text-reader.js';

/** Arrays up to this length are made at once; longer ones grow with the values that are really there. */
const longestReservedArray = 64;
const nothing = new Uint8Array(0);

/**
 * Reads one value and checks every rule of docs/protocol.md, section 2, in the same pass; what it refuses, and where, is
 * what {@link scanValue} refuses. Recursion ends at the depth limit, which is at most 128, and nothing is reserved for a length that
 * is only announced.
 */
export class ValueReader {
  readonly #text: TextReader;
  readonly #numbers = new NumberReader();
  readonly #keys = new KeyCache();
  #bytes: Uint8Array = nothing;
  /** Where the frame begins and ends in the bytes; offsets in errors count from its beginning. */
  #start = 0;
  #end = 0;
  #position = 0;
  /** Of a body in pieces: the inserts, until the last of them was taken. The end is where the next one stands, and then {@link #lastEnd}. */
  #inserts: readonly Insert[] | undefined;
  #taken = 0;
  #lastEnd = 0;
  #elements = 0;
  /** Whether the key that was read last is one that objects inherit, as `constructor`. Such a key is never in the cache. */
  #isInheritedKey = false;
  #maxElements = 0;
  #maxDepth = 0;
  #maxMapEntries = 0;

  constructor(native: NativeText | undefined) {
    this.#text = new TextReader(native);
  }

  /** @throws PROTOCOL_ERROR with `details: { offset }`. */
  read(bytes: Uint8Array, start: number, end: number, limits: FrameLimits): unknown {
    this.#end = end;
    return this.#read(bytes, start, limits);
  }

  /**
   * The same for a body of which some bytes lie apart: an insert that is exactly the data of a bin becomes the value as it is, and belongs to whoever gets
   * the value. Wherever else an insert stands, the body is put together and read as any other; so is one that breaks a rule, which
   * is then found at its place in the whole.
   */
  readPieces(bytes: Uint8Array, start: number, end: number, inserts: readonly Insert[], limits: FrameLimits): unknown {
    const [first] = inserts;
    if (first === undefined) return this.read(bytes, start, end, limits);
    this.#inserts = inserts;
    this.#taken = 0;
    this.#lastEnd = end;
    this.#end = start + first.after;
    try {
      return this.#read(bytes, start, limits);
    } catch {
      const body = joinInserts(bytes, start, end, inserts);
      return this.read(body, 0, body.length, limits);
    }
  }

  #read(bytes: Uint8Array, start: number, limits: FrameLimits): unknown {
    this.#bytes = bytes;
    this.#start = start;
    this.#position = start;
    this.#elements = 1;
    this.#maxElements = limits.maxElements;
    this.#maxDepth = Math.min(limits.maxDepth, maxSupportedDepth);
    this.#maxMapEntries = limits.maxMapEntries;
    this.#keys.rewind();
    try {
      const value = this.#value(0);
      if (this.#position !== this.#end || this.#inserts !== undefined) refuseValue('bytes follow the value', this.#position - start);
      return value;
    } finally {
      this.#bytes = nothing;
      this.#inserts = undefined;
      this.#text.release();
      this.#numbers.release();
    }
  }

  /** @param depth containers around the value. */
  #value(depth: number): unknown {
    const at = this.#position;
    if (at >= this.#end) refuseValue('the value is cut short', this.#end - this.#start);
    const token = this.#bytes[at] as number;
    this.#position = at + 1;
    if (token < 0x80) return token;
    if (token >= 0xe0) return token - 256;
    if (token >= 0xa0 && token < 0xc0) return this.#string(at, token - 0xa0);
    if (token < 0x90) return this.#map(at, token - 0x80, depth);
    if (token < 0xa0) return this.#array(at, token - 0x90, depth);
    switch (token) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xd9:
        return this.#string(at, this.#length(1));
      case 0xda:
        return this.#string(at, this.#length(2));
      case 0xdb:
        return this.#string(at, this.#length(4));
      case 0xdc:
        return this.#array(at, this.#length(2), depth);
      case 0xdd:
        return this.#array(at, this.#length(4), depth);
      case 0xde:
        return this.#map(at, this.#length(2), depth);
      case 0xdf:
        return this.#map(at, this.#length(4), depth);
      case 0xc4:
        return this.#binary(at, this.#length(1));
      case 0xc5:
        return this.#binary(at, this.#length(2));
      case 0xc6:
        return this.#binary(at, this.#length(4));
      case 0xd6:
        return this.#timestamp(at, 4);
      case 0xd7:
        return this.#timestamp(at, 8);
      case 0xc7:
        if (this.#length(1) !== 12) refuseValue('only the timestamp extension is allowed', at - this.#start);
        return this.#timestamp(at, 12);
      case 0xc1:
        return refuseValue('the byte 0xc1 is not allowed', at - this.#start);
      case 0xca:
      case 0xcb:
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3: {
        const next = at + 1 + (token === 0xca ? 4 : token === 0xcb ? 8 : 1 << ((token - 0xcc) & 3));
        if (next > this.#end) refuseValue('a value is cut short', at - this.#start);
        this.#position = next;
        return this.#numbers.read(this.#bytes, at);
      }
      default:
        return refuseValue('only the timestamp extension is allowed', at - this.#start);
    }
  }

  /** An announced length of `width` bytes. */
  #length(width: number): number {
    const at = this.#position;
    if (at + width > this.#end) refuseValue('the value is cut short', this.#end - this.#start);
    this.#position = at + width;
    let length = 0;
    for (let index = at; index < at + width; index += 1) length = length * 256 + (this.#bytes[index] as number);
    return length;
  }

  #string(at: number, length: number): string {
    const from = this.#position;
    const to = from + length;
    if (to > this.#end) refuseValue('a string is cut short', at - this.#start);
    this.#position = to;
    return this.#text.read(this.#bytes, from, to, this.#start, this.#end);
  }

  #array(at: number, count: number, depth: number): unknown[] {
    this.#enter(at, count, depth);
    if (count > longestReservedArray) {
      const long: unknown[] = [];
      for (let index = 0; index < count; index += 1) long.push(this.#value(depth + 1));
      return long;
    }
    const array = new Array<unknown>(count);
    for (let index = 0; index < count; index += 1) array[index] = this.#value(depth + 1);
    return array;
  }

  #map(at: number, count: number, depth: number): Record<string, unknown> {
    if (count > this.#maxMapEntries) refuseValue(`a map has more than ${this.#maxMapEntries} entries`, at - this.#start);
    this.#enter(at, 2 * count, depth);
    const map: Record<string, unknown> = {};
    for (let index = 0; index < count; index += 1) {
      const key = this.#key();
      const isInherited = this.#isInheritedKey;
      const value = this.#value(depth + 1);
      if (isInherited) define(map, key, value);
      else map[key] = value;
    }
    return map;
  }

  /** Accounts for a container and its contents before they are read. */
  #enter(at: number, contents: number, depth: number): void {
    this.#elements += contents;
    if (this.#elements > this.#maxElements) refuseValue(`there are more than ${this.#maxElements} elements`, at - this.#start);
    if (depth >= this.#maxDepth) refuseValue(`the nesting is deeper than ${this.#maxDepth}`, at - this.#start);
  }

  #key(): string {
    const at = this.#position;
    const bytes = this.#bytes;
    if (at >= this.#end) refuseValue('the value is cut short', this.#end - this.#start);
    const token = bytes[at] as number;
    this.#position = at + 1;
    let length: number;
    if (token >= 0xa0 && token < 0xc0) length = token - 0xa0;
    else if (token >= 0xd9 && token <= 0xdb) length = this.#length(1 << (token - 0xd9));
    else return refuseValue('map keys must be strings', at - this.#start);
    const from = this.#position;
    const to = from + length;
    if (to > this.#end) refuseValue('a string is cut short', at - this.#start);
    this.#position = to;
    const known = this.#keys.find(bytes, from, length);
    this.#isInheritedKey = false;
    if (known !== undefined) return known;
    const key = this.#text.read(bytes, from, to, this.#start, this.#end);
    if (key === '__proto__') refuseValue('the map key __proto__ is not allowed', at - this.#start);
    this.#isInheritedKey = key in Object.prototype;
    if (this.#isInheritedKey) return key;
    // As many characters as bytes: ASCII.
    if (key.length === length && KeyCache.takes(length)) {
      const whole = this.#text.readWhole(bytes, from, to);
      this.#keys.keep(whole, bytes, from, length);
      return whole;
    }
    return key;
  }

  #binary(at: number, length: number): Uint8Array {
    const from = this.#position;
    const to = from + length;
    if (from === this.#end && this.#inserts !== undefined) return this.#takeInsert(this.#inserts, at, length);
    if (to > this.#end) refuseValue('a value is cut short', at - this.#start);
    this.#position = to;
    const bytes = this.#bytes;
    const isWorthAView = length >= bytes.buffer.byteLength / 2 && bytes.buffer.byteLength <= largestOwnBuffer(this.#end - this.#start);
    return isWorthAView ? new Uint8Array(bytes.buffer, bytes.byteOffset + from, length) : copyBytes(bytes, from, length);
  }

  /** The insert that stands here, if it is just as large as was announced. */
  #takeInsert(inserts: readonly Insert[], at: number, length: number): Uint8Array {
    const { bytes } = inserts[this.#taken] as Insert;
    if (bytes.length !== length) refuseValue('a value is cut short', at - this.#start);
    this.#taken += 1;
    const next = inserts[this.#taken];
    if (next === undefined) this.#inserts = undefined;
    this.#end = next === undefined ? this.#lastEnd : this.#start + next.after;
    // A view would show what else its buffer holds.
    return length === bytes.buffer.byteLength ? new Uint8Array(bytes.buffer, 0, length) : copyBytes(bytes, 0, length);
  }

  #timestamp(at: number, size: number): Date {
    const type = this.#position;
    const from = type + 1;
    if (from + size > this.#end) refuseValue('a value is cut short', at - this.#start);
    if (this.#bytes[type] !== 0xff) refuseValue('only the timestamp extension is allowed', at - this.#start);
    if (!isTimestampAt(this.#bytes, from, size)) refuseValue('a timestamp is out of range', at - this.#start);
    this.#position = from + size;
    return this.#numbers.readTimestamp(this.#bytes, from, size);
  }
}

/** Makes an own member also where what objects inherit was frozen, or has a setter: assigning would fail there. */
function define(map: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
}
