/** Bytes that stand in a frame apart from the bytes around them, so that nobody has to copy them to bring them together. */
export interface Insert {
  /** How many of the frame's other bytes come before them; inserts of a frame are in order. */
  readonly after: number;
  readonly bytes: Uint8Array;
}

/** The body whose bytes but for the inserts are `bytes[start…end)`, in one piece: a copy. */
export function joinInserts(bytes: Uint8Array, start: number, end: number, inserts: readonly Insert[]): Uint8Array {
  let length = end - start;
  for (const insert of inserts) length += insert.bytes.length;
  const body = new Uint8Array(length);
  let at = 0;
  let from = start;
  for (const insert of inserts) {
    const to = start + insert.after;
    body.set(bytes.subarray(from, to), at);
    at += to - from;
    body.set(insert.bytes, at);
    at += insert.bytes.length;
    from = to;
  }
  body.set(bytes.subarray(from, end), at);
  return body;
}
