/** msgpackr gives longer strings to a TextDecoder, which takes a leading U+FEFF for a byte order mark and drops it. */
const longestUntouched = 64;
/** U+FEFF in UTF-8 has three bytes. */
const markBytes = 3;
const str32HeaderBytes = 5;

/**
 * Doubles the U+FEFF at the start of every long string, so that one is left when the decoder has dropped the other.
 * @param body one MessagePack value that the scan has accepted.
 * @returns a changed copy, or `body` itself where there is nothing to do.
 */
export function doubleLeadingMarks(body: Uint8Array): Uint8Array {
  const strings: { readonly at: number; readonly start: number; readonly length: number }[] = [];
  // Values follow one another; the header of an array or a map is passed over like any other token.
  for (let at = 0; at < body.length; ) {
    const { header, length } = extentOf(body, at);
    const start = at + header;
    if (isString(body[at] as number) && length > longestUntouched && startsWithMark(body, start)) strings.push({ at, start, length });
    at = start + length;
  }
  if (strings.length === 0) return body;
  const result = new Uint8Array(body.length + strings.length * (str32HeaderBytes + markBytes));
  const view = new DataView(result.buffer);
  let from = 0;
  let to = 0;
  for (const { at, start, length } of strings) {
    result.set(body.subarray(from, at), to);
    to += at - from;
    view.setUint8(to, 0xdb);
    view.setUint32(to + 1, length + markBytes);
    to += str32HeaderBytes;
    result.set(body.subarray(start, start + markBytes), to);
    to += markBytes;
    from = start;
  }
  result.set(body.subarray(from), to);
  return result.subarray(0, to + body.length - from);
}

/** The size of a token with its length, and of the data behind it. */
function extentOf(body: Uint8Array, at: number): { header: number; length: number } {
  const token = body[at] as number;
  if (token >= 0xa0 && token < 0xc0) return { header: 1, length: token - 0xa0 };
  if (token < 0xc4 || token >= 0xe0) return { header: 1, length: 0 };
  if (token >= 0xd9) {
    const width = token <= 0xdb ? 1 << (token - 0xd9) : (token & 1) === 0 ? 2 : 4;
    return { header: 1 + width, length: token <= 0xdb ? readUint(body, at + 1, width) : 0 };
  }
  if (token <= 0xc6) {
    const width = 1 << (token - 0xc4);
    return { header: 1 + width, length: readUint(body, at + 1, width) };
  }
  // ext 8 with a timestamp of 12 bytes, fixext 4, fixext 8; then the numbers.
  if (token === 0xc7) return { header: 3, length: 12 };
  if (token === 0xd6) return { header: 2, length: 4 };
  if (token === 0xd7) return { header: 2, length: 8 };
  if (token === 0xca) return { header: 1, length: 4 };
  if (token === 0xcb) return { header: 1, length: 8 };
  return { header: 1, length: 1 << ((token - 0xcc) & 3) };
}

function isString(token: number): boolean {
  return (token >= 0xa0 && token < 0xc0) || (token >= 0xd9 && token <= 0xdb);
}

function startsWithMark(body: Uint8Array, at: number): boolean {
  return body[at] === 0xef && body[at + 1] === 0xbb && body[at + 2] === 0xbf;
}

function readUint(body: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let index = 0; index < width; index += 1) value = value * 256 + (body[at + index] as number);
  return value;
}
