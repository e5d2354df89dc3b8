import { refuseValue } from '../../frames/scan.js';
import { findInvalidUtf8, findNonAscii } from '../../frames/utf8.js';
import type { NativeText } from './native-text.js';

/**
 * How many bytes are made text in one go, of which short strings are then parts. A part keeps the whole alive, so this is
 * also the most that a string which a handler keeps can pin.
 */
const windowBytes = 512;
/** Longer strings are made, and checked, by themselves. */
const longestPart = 192;
/** Parts below this length are copies anyway. */
const fewCharacters = 5;

/** Turns the strings of one frame at a time into text: valid UTF-8 only. */
export class TextReader {
  readonly #native: NativeText | undefined;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #window = '';
  #windowStart = 0;
  #windowEnd = 0;

  constructor(native: NativeText | undefined) {
    this.#native = native;
  }

  /** Forgets the text of the frame. */
  release(): void {
    this.#window = '';
    this.#windowStart = 0;
    this.#windowEnd = 0;
  }

  /**
   * The string at `from…to`, where bytes of the frame are up to `end`.
   * @throws PROTOCOL_ERROR if it is not valid UTF-8.
   */
  read(bytes: Uint8Array, from: number, to: number, start: number, end: number): string {
    const length = to - from;
    if (length > longestPart) return this.#readUnicode(bytes, from, to, start);
    if (length > 48) {
      if (findNonAscii(bytes, from, to) !== to) return this.#readUnicode(bytes, from, to, start);
    } else {
      let bits = 0;
      for (let index = from; index < to; index += 1) bits |= bytes[index] as number;
      if (bits >= 0x80) return this.#readUnicode(bytes, from, to, start);
    }
    if (from >= this.#windowStart && to <= this.#windowEnd) return this.#window.substring(from - this.#windowStart, to - this.#windowStart);
    if (length < fewCharacters) return fewCharactersOf(bytes, from, length);
    if (this.#native === undefined) return this.#decoder.decode(bytes.subarray(from, to));
    const windowEnd = Math.min(end, from + windowBytes);
    this.#window = this.#native.latin1Slice.call(bytes, from, windowEnd);
    this.#windowStart = from;
    this.#windowEnd = windowEnd;
    return this.#window.substring(0, length);
  }

  /** The same, of bytes that are known to be ASCII, as a string that is no part of another. */
  readWhole(bytes: Uint8Array, from: number, to: number): string {
    return this.#native === undefined ? this.#decoder.decode(bytes.subarray(from, to)) : this.#native.latin1Slice.call(bytes, from, to);
  }

  #readUnicode(bytes: Uint8Array, from: number, to: number, start: number): string {
    if (this.#native !== undefined) {
      const text = this.#native.utf8Slice.call(bytes, from, to);
      // Whatever is not valid has become U+FFFD, which few valid texts hold.
      const bad = text.includes('\ufffd') ? findInvalidUtf8(bytes, from, to) : -1;
      return bad < 0 ? text : refuseValue('a string is not valid UTF-8', bad - start);
    }
    try {
      return this.#decoder.decode(bytes.subarray(from, to));
    } catch {
      return refuseValue('a string is not valid UTF-8', findInvalidUtf8(bytes, from, to) - start);
    }
  }
}

function fewCharactersOf(bytes: Uint8Array, from: number, length: number): string {
  const first = bytes[from] as number;
  switch (length) {
    case 0:
      return '';
    case 1:
      return String.fromCharCode(first);
    case 2:
      return String.fromCharCode(first, bytes[from + 1] as number);
    case 3:
      return String.fromCharCode(first, bytes[from + 1] as number, bytes[from + 2] as number);
    default:
      return String.fromCharCode(first, bytes[from + 1] as number, bytes[from + 2] as number, bytes[from + 3] as number);
  }
}
