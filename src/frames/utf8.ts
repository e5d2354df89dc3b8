/** From this many bytes on, ASCII is passed over 16 bytes at a time; a view costs more than that saves in shorter text. */
const longText = 512;

/**
 * Finds the first byte that makes `bytes[from…to)` invalid UTF-8, as the Unicode standard has it: no overlong forms, no
 * surrogates, nothing above U+10FFFF, no character cut at the end.
 * @returns the index of the byte that begins the bad sequence, or -1 if all is valid.
 */
export function findInvalidUtf8(bytes: Uint8Array, from: number, to: number): number {
  const words = to - from < longText ? undefined : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = from;
  while (at < to) {
    const lead = bytes[at] as number;
    if (lead < 0x80) {
      at = skipAscii(bytes, words, at + 1, to);
      continue;
    }
    // The range of the second byte is what rules out overlong forms, surrogates and code points that are too high.
    let size = 2;
    let low = 0x80;
    let high = 0xbf;
    if (lead < 0xc2) return at;
    if (lead >= 0xe0) {
      size = 3;
      if (lead === 0xe0) low = 0xa0;
      else if (lead === 0xed) high = 0x9f;
      else if (lead >= 0xf0) {
        size = 4;
        if (lead === 0xf0) low = 0x90;
        else if (lead === 0xf4) high = 0x8f;
        else if (lead > 0xf4) return at;
      }
    }
    if (at + size > to) return at;
    const second = bytes[at + 1] as number;
    if (second < low || second > high) return at;
    if (size > 2 && ((bytes[at + 2] as number) & 0xc0) !== 0x80) return at;
    if (size > 3 && ((bytes[at + 3] as number) & 0xc0) !== 0x80) return at;
    at += size;
  }
  return -1;
}

/** @returns the index of the first byte that is not ASCII, or `to`. */
function skipAscii(bytes: Uint8Array, words: DataView | undefined, from: number, to: number): number {
  let at = from;
  if (words !== undefined) {
    for (const last = to - 16; at <= last; at += 16) {
      const block = words.getInt32(at) | words.getInt32(at + 4) | words.getInt32(at + 8) | words.getInt32(at + 12);
      if ((block & 0x8080_8080) !== 0) break;
    }
  }
  while (at < to && (bytes[at] as number) < 0x80) at += 1;
  return at;
}

/** @returns the index of the first byte of `bytes[from…to)` that is not ASCII, or `to`. */
export function findNonAscii(bytes: Uint8Array, from: number, to: number): number {
  if (to - from >= longText) return skipAscii(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), from, to);
  let at = from;
  for (const last = to - 8; at <= last; at += 8) {
    const low = byteAt(bytes, at) | byteAt(bytes, at + 1) | byteAt(bytes, at + 2) | byteAt(bytes, at + 3);
    const high = byteAt(bytes, at + 4) | byteAt(bytes, at + 5) | byteAt(bytes, at + 6) | byteAt(bytes, at + 7);
    if ((low | high) >= 0x80) break;
  }
  return skipAscii(bytes, undefined, at, to);
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}
