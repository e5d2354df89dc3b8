/** Seconds that a timestamp of 32 bits holds. */
const upperUnit = 2 ** 32;
/** The largest buffer that is kept in mind between frames: a slab. */
const largestKeptBytes = 16_384;
const nothing = new Uint8Array(0);
const emptyView = new DataView(nothing.buffer);
const maxInt64 = 2n ** 63n - 1n;

/** Writes the numbers of one codec. There is room for 16 bytes wherever it is called; each method returns where the value ends. */
export class ScalarWriter {
  /** A view of the slab that was written to last; frame after frame goes to the same. */
  #viewed: Uint8Array = nothing;
  #view: DataView = emptyView;

  /** Forgets the slab, if it is worth it: a large frame must not be kept alive. */
  release(): void {
    if (this.#viewed.length <= largestKeptBytes) return;
    this.#viewed = nothing;
    this.#view = emptyView;
  }

  /** Integers of 32 bits in the shortest form, every other number as a float of 64 bits; −0 becomes 0. */
  number(value: number, bytes: Uint8Array, at: number): number {
    if (value >>> 0 === value) {
      if (value < 0x80) {
        bytes[at] = value;
        return at + 1;
      }
      if (value < 0x100) {
        bytes[at] = 0xcc;
        bytes[at + 1] = value;
        return at + 2;
      }
      if (value < 0x1_0000) {
        bytes[at] = 0xcd;
        return writeUint16(value, bytes, at + 1);
      }
      bytes[at] = 0xce;
      return writeUint32(value, bytes, at + 1);
    }
    if (value >> 0 === value) {
      if (value >= -0x20) {
        bytes[at] = value;
        return at + 1;
      }
      if (value >= -0x80) {
        bytes[at] = 0xd0;
        bytes[at + 1] = value;
        return at + 2;
      }
      if (value >= -0x8000) {
        bytes[at] = 0xd1;
        return writeUint16(value, bytes, at + 1);
      }
      bytes[at] = 0xd2;
      return writeUint32(value, bytes, at + 1);
    }
    bytes[at] = 0xcb;
    this.#viewOf(bytes).setFloat64(at + 1, value);
    return at + 9;
  }

  /** An integer of 64 bits, which the caller has made sure of. */
  bigint(value: bigint, bytes: Uint8Array, at: number): number {
    bytes[at] = value > maxInt64 ? 0xcf : 0xd3;
    this.#viewOf(bytes).setBigUint64(at + 1, BigInt.asUintN(64, value));
    return at + 9;
  }

  #viewOf(bytes: Uint8Array): DataView {
    if (this.#viewed !== bytes) {
      this.#viewed = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#view;
  }
}

/** A valid time, as a timestamp of 32 bits where it has no milliseconds, else of 64 or 96 bits. */
export function writeTimestamp(milliseconds: number, bytes: Uint8Array, at: number): number {
  const seconds = Math.floor(milliseconds / 1_000);
  const rest = milliseconds - seconds * 1_000;
  if (seconds >= 0 && seconds < upperUnit) {
    bytes[at + 1] = 0xff;
    if (rest === 0) {
      bytes[at] = 0xd6;
      return writeUint32(seconds, bytes, at + 2);
    }
    bytes[at] = 0xd7;
    return writeUint32(seconds, bytes, writeUint32(rest * 4_000_000, bytes, at + 2));
  }
  bytes[at] = 0xc7;
  bytes[at + 1] = 12;
  bytes[at + 2] = 0xff;
  const upper = Math.floor(seconds / upperUnit);
  return writeUint32(seconds - upper * upperUnit, bytes, writeUint32(upper, bytes, writeUint32(rest * 1_000_000, bytes, at + 3)));
}

/**
 * The header of a string, binary data, an array or a map, in the shortest form.
 * @param small token of the form whose count is in it, for counts below `smallCounts`.
 * @param token of the form with a count of 8 bits or, with `no8`, the token before that of the form with 16 bits.
 */
export function writeHeader(count: number, small: number, smallCounts: number, token: number, no8: boolean, bytes: Uint8Array, at: number): number {
  if (count < smallCounts) {
    bytes[at] = small | count;
    return at + 1;
  }
  if (count < 0x100 && !no8) {
    bytes[at] = token;
    bytes[at + 1] = count;
    return at + 2;
  }
  if (count < 0x1_0000) {
    bytes[at] = token + 1;
    return writeUint16(count, bytes, at + 1);
  }
  bytes[at] = token + 2;
  return writeUint32(count, bytes, at + 1);
}

function writeUint16(value: number, bytes: Uint8Array, at: number): number {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
  return at + 2;
}

function writeUint32(value: number, bytes: Uint8Array, at: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}
