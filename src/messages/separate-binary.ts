/** Bytes of a buffer that may be there beside the frame's body: its length prefix. */
const prefixBytes = 4;

/**
 * Gives the binary data of a value that was just decoded its own memory, in place. A decoder makes views of the chunk
 * as it was read: a few bytes that a handler keeps would pin all of it, and `bytes.buffer` would show what else it holds.
 * @param body the frame that was decoded.
 */
export function separateBinary(value: unknown, body: Uint8Array): unknown {
  const buffer = body.buffer;
  // A large payload in a buffer that holds nothing but its frame is not worth a copy.
  const smallestView = buffer.byteLength <= body.byteLength + prefixBytes ? buffer.byteLength / 2 : Number.POSITIVE_INFINITY;
  return separate(value, smallestView);
}

/** Recursion is bounded by the depth that the scan allowed. */
function separate(value: unknown, smallestView: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) {
    return value.byteLength >= smallestView ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value);
  }
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const item: unknown = value[index];
      if (typeof item === 'object' && item !== null) value[index] = separate(item, smallestView);
    }
    return value;
  }
  const map = value as Record<string, unknown>;
  for (const key of Object.keys(map)) {
    const entry = map[key];
    if (typeof entry === 'object' && entry !== null) map[key] = separate(entry, smallestView);
  }
  return map;
}
