/** `String.prototype.isWellFormed` is part of ES2024; Node has it since version 20. */
const native = (String.prototype as { isWellFormed?: (this: string) => boolean }).isWellFormed;

/** Whether a string has no half of a surrogate pair alone, so that it can be written in UTF-8. */
export const isWellFormed: (text: string) => boolean = native === undefined ? (text) => !/\p{Surrogate}/u.test(text) : (text) => native.call(text);

/** The bytes of a well-formed string in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // Either half of a pair counts 2 of its 4 bytes.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes;
}

/** Whether a well-formed string has at most so many bytes in UTF-8. Counts only where the number of characters does not tell. */
export function fitsBytes(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return false;
  return text.length * 3 <= maxBytes || utf8Bytes(text) <= maxBytes;
}

/**
 * Makes a sentence for people fit to be sent: lone surrogates become U+FFFD, and what exceeds `maxBytes` of UTF-8 is
 * cut between characters, with … at the end.
 */
export function fitText(text: string, maxBytes: number): string {
  const clean = isWellFormed(text) ? text : text.replace(/\p{Surrogate}/gu, '\ufffd');
  if (fitsBytes(clean, maxBytes)) return clean;
  let room = maxBytes - utf8Bytes('…');
  let end = 0;
  for (const character of clean) {
    room -= utf8Bytes(character);
    if (room < 0) break;
    end += character.length;
  }
  return `${clean.slice(0, end)}…`;
}
