import type { NativeText } from './native-text.js';

/** Writes strings as UTF-8. */
export class TextWriter {
  readonly #native: NativeText | undefined;
  readonly #encoder = new TextEncoder();

  constructor(native: NativeText | undefined) {
    this.#native = native;
  }

  /**
   * Writes a well-formed string, for which there is room.
   * @returns where it ends.
   */
  write(text: string, bytes: Uint8Array, at: number): number {
    if (this.#native !== undefined) return at + this.#native.utf8Write.call(bytes, text, at, bytes.length - at);
    return at + this.#encoder.encodeInto(text, bytes.subarray(at)).written;
  }

  /** The bytes of a long well-formed string. */
  measure(text: string): number {
    // Encoding it twice is several times as fast as counting by hand.
    return this.#native === undefined ? this.#encoder.encode(text).length : this.#native.byteLength(text);
  }
}

/**
 * Writes a short string by hand, for which there is room: three bytes for each of its units.
 * @returns where it ends; -1 if it holds half of a surrogate pair.
 */
export function writeShortText(text: string, bytes: Uint8Array, at: number): number {
  const length = text.length;
  let to = at;
  for (let index = 0; index < length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) {
      bytes[to] = unit;
      to += 1;
    } else if (unit < 0x800) {
      bytes[to] = 0xc0 | (unit >> 6);
      bytes[to + 1] = 0x80 | (unit & 0x3f);
      to += 2;
    } else if (unit < 0xd800 || unit >= 0xe000) {
      bytes[to] = 0xe0 | (unit >> 12);
      bytes[to + 1] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[to + 2] = 0x80 | (unit & 0x3f);
      to += 3;
    } else {
      index += 1;
      const low = index < length ? text.charCodeAt(index) : 0;
      if (unit >= 0xdc00 || (low & 0xfc00) !== 0xdc00) return -1;
      const point = 0x1_0000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
      bytes[to] = 0xf0 | (point >> 18);
      bytes[to + 1] = 0x80 | ((point >> 12) & 0x3f);
      bytes[to + 2] = 0x80 | ((point >> 6) & 0x3f);
      bytes[to + 3] = 0x80 | (point & 0x3f);
      to += 4;
    }
  }
  return to;
}
