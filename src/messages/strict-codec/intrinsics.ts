// What an object really is, whatever a subclass or a member of its own says: a wrong length would leave bytes of other
// messages in a frame.

interface TypedArrayGetters {
  readonly buffer: (this: Uint8Array) => ArrayBufferLike;
  readonly byteOffset: (this: Uint8Array) => number;
  readonly byteLength: (this: Uint8Array) => number;
}
const getters = Object.fromEntries(
  Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array)).map(([name, { get }]) => [name, get]),
) as unknown as TypedArrayGetters;
const { buffer, byteOffset, byteLength } = getters;
const { getTime } = Date.prototype;

/** @throws TypeError if it only pretends to be binary data. */
export function byteLengthOf(bytes: Uint8Array): number {
  return byteLength.call(bytes);
}

/** A plain view of the same memory. */
export function plainViewOf(bytes: Uint8Array, length: number): Uint8Array {
  return new Uint8Array(buffer.call(bytes), byteOffset.call(bytes), length);
}

/** Milliseconds since the epoch; NaN for an invalid one. @throws TypeError if it only pretends to be a Date. */
export function millisecondsOf(date: Date): number {
  return getTime.call(date);
}
