/** Fewer bytes than this are copied one by one; a view to copy from costs more. */
const fewBytes = 32;
/** Bytes of a buffer that may be there beside the frame's body: its length prefix. */
const prefixBytes = 4;

/** A plain Uint8Array with memory of its own, whatever class the source is of. */
export function copyBytes(source: Uint8Array, from: number, length: number): Uint8Array {
  if (length >= fewBytes) return new Uint8Array(new Uint8Array(source.buffer, source.byteOffset + from, length));
  const copy = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) copy[index] = source[from + index] as number;
  return copy;
}

/**
 * The largest buffer that holds nothing but one frame's body of this size. A payload that is most of such a buffer is
 * not worth a copy; in any other it would pin what was read beside it, and `bytes.buffer` would show it.
 */
export function largestOwnBuffer(bodyBytes: number): number {
  return bodyBytes + prefixBytes;
}
