/** Text methods of the platform's byte arrays, which take any `Uint8Array` as `this`. Node's Buffer has them. */
export interface NativeText {
  latin1Slice(this: Uint8Array, from: number, to: number): string;
  utf8Slice(this: Uint8Array, from: number, to: number): string;
  utf8Write(this: Uint8Array, text: string, offset: number, length: number): number;
  /** The bytes of a string in UTF-8. */
  byteLength(text: string): number;
}

interface ByteClass {
  readonly prototype?: Partial<NativeText>;
  readonly byteLength?: (text: string) => number;
}

/** One of each kind of what is not UTF-8: cut short, too long a form, a surrogate, too high, and a byte that never occurs. */
const invalid = [
  [0x61, 0xc3],
  [0xc3, 0x61],
  [0xa9],
  [0xc0, 0x80],
  [0xe0, 0x80, 0x80],
  [0xed, 0xa0, 0x80],
  [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf0, 0x9f, 0x8c],
  [0xff],
];

/**
 * Finds the platform's own text methods, several times as fast as TextDecoder for the short strings of a message. The
 * core does not need them, nor the class that has them: without it, the same is done by TextDecoder and TextEncoder.
 * @returns undefined where the platform has none, or where they do not do what is expected of them.
 */
export function findNativeText(): NativeText | undefined {
  const found = (globalThis as { readonly Buffer?: ByteClass }).Buffer;
  const { latin1Slice, utf8Slice, utf8Write } = found?.prototype ?? {};
  const byteLength = found?.byteLength;
  if (latin1Slice === undefined || utf8Slice === undefined || utf8Write === undefined || byteLength === undefined) return undefined;
  try {
    // A plain Uint8Array, which other implementations of these methods may refuse; U+FEFF, which they may drop.
    const bytes = new Uint8Array(12);
    const sample = '\ufeffé\u{1f30d}a';
    const works =
      utf8Write.call(bytes, sample, 1, 11) === 10 &&
      utf8Slice.call(bytes, 1, 11) === sample &&
      latin1Slice.call(bytes, 4, 6) === '\u00c3\u00a9' &&
      byteLength(sample) === 10;
    return works && invalid.every((sequence) => utf8Slice.call(Uint8Array.from(sequence), 0, sequence.length).includes('\ufffd'))
      ? { latin1Slice, utf8Slice, utf8Write, byteLength }
      : undefined;
  } catch {
    return undefined;
  }
}
