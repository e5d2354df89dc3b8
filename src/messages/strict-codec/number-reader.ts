/** 2^53 is 2^21 in the upper half of 64 bits. */
const upperHalfOfLargestNumber = 2 ** 21;
const upperUnit = 2 ** 32;

/** A frame with more floats than this is worth a view of its own. */
const fewFloats = 3;

/** Reads numbers and times, mostly by hand: a view of every frame would cost more. */
export class NumberReader {
  readonly #scratch = new Uint8Array(8);
  readonly #scratchView = new DataView(this.#scratch.buffer);
  #floats = 0;
  #view: DataView | undefined;

  /** Forgets the frame. */
  release(): void {
    this.#floats = 0;
    this.#view = undefined;
  }

  /** A number with the token at `at`, all of which is there: integers beyond ±2^53 become bigint. */
  read(bytes: Uint8Array, at: number): number | bigint {
    const first = bytes[at + 1] as number;
    switch (bytes[at]) {
      case 0xcc:
        return first;
      case 0xcd:
        return (first << 8) | (bytes[at + 2] as number);
      case 0xce:
        return readUint32(bytes, at + 1);
      case 0xd0:
        return (first << 24) >> 24;
      case 0xd1:
        return ((first << 24) >> 16) | (bytes[at + 2] as number);
      case 0xd2:
        return readUint32(bytes, at + 1) | 0;
      case 0xcf:
        return join(readUint32(bytes, at + 1), readUint32(bytes, at + 5));
      case 0xd3:
        return join(readUint32(bytes, at + 1) | 0, readUint32(bytes, at + 5));
      case 0xca:
        return this.#viewOf(bytes, at + 1, 4).getFloat32(this.#view === undefined ? 0 : at + 1);
      default:
        if (this.#view !== undefined) return this.#view.getFloat64(at + 1);
        return this.#viewOf(bytes, at + 1, 8).getFloat64(this.#view === undefined ? 0 : at + 1);
    }
  }

  /** The data of a timestamp that is known to be valid, of 4, 8 or 12 bytes. Parts of a millisecond are cut off. */
  readTimestamp(bytes: Uint8Array, from: number, size: number): Date {
    if (size === 4) return new Date(readUint32(bytes, from) * 1_000);
    const first = readUint32(bytes, from);
    if (size === 8) return new Date((first >>> 2) / 1_000_000 + ((first & 3) * upperUnit + readUint32(bytes, from + 4)) * 1_000);
    const seconds = (readUint32(bytes, from + 4) | 0) * upperUnit + readUint32(bytes, from + 8);
    return new Date(first / 1_000_000 + seconds * 1_000);
  }

  /** A view of the frame, or of a copy of these few bytes. */
  #viewOf(bytes: Uint8Array, from: number, count: number): DataView {
    if (this.#view !== undefined) return this.#view;
    this.#floats += 1;
    if (this.#floats > fewFloats) {
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return this.#view;
    }
    const scratch = this.#scratch;
    for (let index = 0; index < count; index += 1) scratch[index] = bytes[from + index] as number;
    return this.#scratchView;
  }
}

function join(upper: number, lower: number): number | bigint {
  const isExact = (upper < upperHalfOfLargestNumber && upper >= -upperHalfOfLargestNumber) || (upper === upperHalfOfLargestNumber && lower === 0);
  return isExact ? upper * upperUnit + lower : (BigInt(upper) << 32n) | BigInt(lower);
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}
