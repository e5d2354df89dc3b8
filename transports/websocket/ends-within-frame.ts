const headerBytes = 4;

/**
 * Whether a message is something other than one or more whole frames: it is empty, or ends within a frame. It looks at the frames' headers only; what they
 * hold, and whether their length is allowed, is not its concern.
 *
 * @param pieces - the message, cut anywhere.
 */
export function endsWithinFrame(pieces: readonly Uint8Array[]): boolean {
  let isEmpty = true;
  // Bytes of a header that were read, the length they say, and bytes of the body that are still to come.
  let header = 0;
  let length = 0;
  let missing = 0;
  for (const piece of pieces) {
    const size = piece.length;
    if (size > 0) isEmpty = false;
    let at = missing;
    while (at < size) {
      if (header === 0 && size - at >= headerBytes) {
        at += headerBytes + (piece[at]! * 0x1000000 + ((piece[at + 1]! << 16) | (piece[at + 2]! << 8) | piece[at + 3]!));
        continue;
      }
      length = length * 256 + piece[at]!;
      at += 1;
      header += 1;
      if (header < headerBytes) continue;
      at += length;
      header = 0;
      length = 0;
    }
    missing = at - size;
  }
  return isEmpty || header > 0 || missing > 0;
}
