// What JSON.stringify leaves as it is although a terminal acts on it or does not show it: C1 controls, marks that reorder or hide text.
const unprintable = /[\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/**
 * A value of the wire as JSON on one line, for programs and for people: it holds no character that a terminal would act on, and still reads back
 * as the same text.
 *
 * JSON has fewer types than the wire: binary data becomes a text in base64, an integer beyond ±2^53 a text of its digits, a time a text in
 * ISO 8601, NaN and the infinities null.
 */
export function toJsonText(value: unknown): string {
  // Such a character can only stand inside a string, where an escape means the same.
  return JSON.stringify(plain(value) ?? null).replace(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Values of the wire nest at most 32 deep, so that recursion is safe. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}
