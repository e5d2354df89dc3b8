/** About how much memory a decoded value takes: for quotas and bounds, not exact. The depth of what the wire carries is bounded, hence that of the recursion. */
export function estimateBytes(value: unknown): number {
  if (typeof value === 'string') return 8 + value.length * 2;
  if (typeof value !== 'object' || value === null) return 8;
  if (value instanceof Uint8Array) return 8 + value.byteLength;
  let bytes = 8;
  if (Array.isArray(value)) for (const element of value) bytes += estimateBytes(element);
  else for (const [key, element] of Object.entries(value)) bytes += key.length * 2 + estimateBytes(element);
  return bytes;
}
