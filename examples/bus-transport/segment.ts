/** What a message on the bus is for. */
export const segmentKinds = ['data', 'taken', 'end', 'alive', 'abort'] as const;
export type SegmentKind = (typeof segmentKinds)[number];

/** Kind and number, in front of every payload. */
export const segmentHeaderBytes = 5;

/** One message on the bus. Every one is numbered, so that a receiver notices when the bus has lost or exchanged one. */
export interface Segment {
  readonly kind: SegmentKind;
  /** Counts up from 0, modulo 2^32. */
  readonly number: number;
  readonly body: Uint8Array;
}

export function encodeSegment(kind: SegmentKind, number: number, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const segment = new Uint8Array(segmentHeaderBytes + body.length);
  segment[0] = segmentKinds.indexOf(kind);
  new DataView(segment.buffer).setUint32(1, number);
  segment.set(body, segmentHeaderBytes);
  return segment;
}

/** @returns undefined for what is no segment: anybody may publish to any subject. */
export function decodeSegment(payload: Uint8Array): Segment | undefined {
  const kind = segmentKinds[payload[0] ?? -1];
  if (kind === undefined || payload.length < segmentHeaderBytes) return undefined;
  const number = new DataView(payload.buffer, payload.byteOffset).getUint32(1);
  return { kind, number, body: payload.subarray(segmentHeaderBytes) };
}

/** Cuts the concatenation of chunks into bodies of at most `size` bytes, in memory of their own. */
export function cutIntoBodies(chunks: readonly Uint8Array[], size: number): Uint8Array[] {
  let left = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const bodies: Uint8Array[] = [];
  let body = new Uint8Array(0);
  let filled = 0;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      if (filled === body.length) {
        body = new Uint8Array(Math.min(size, left));
        bodies.push(body);
        filled = 0;
      }
      const part = chunk.subarray(at, at + body.length - filled);
      body.set(part, filled);
      filled += part.length;
      at += part.length;
      left -= part.length;
    }
  }
  return bodies;
}
