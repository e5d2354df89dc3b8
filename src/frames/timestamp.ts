/** The first and last second, from the Unix epoch, that every implementation can represent: ±100,000,000 days. */
const farthestSecond = 8_640_000_000_000;
const maxNanoseconds = 999_999_999;

/**
 * Whether the data of a timestamp extension is a valid point in time: at most 999,999,999 nanoseconds and within
 * ±8.64 × 10^12 seconds, which is what a `Date` can hold.
 * @param size 4, 8 or 12 bytes, all of which are there.
 */
export function isTimestampAt(bytes: Uint8Array, at: number, size: number): boolean {
  if (size === 4) return true;
  const first = readUint32(bytes, at);
  if (size === 8) return first >>> 2 <= maxNanoseconds;
  if (first > maxNanoseconds) return false;
  // Exact for every value near the limits; far beyond them rounding does not matter.
  const seconds = (readUint32(bytes, at + 4) | 0) * 0x1_0000_0000 + readUint32(bytes, at + 8);
  return seconds >= -farthestSecond && (seconds < farthestSecond || (seconds === farthestSecond && first === 0));
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}
