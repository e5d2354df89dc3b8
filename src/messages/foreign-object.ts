/**
 * Says what an object is that cannot be sent, and what to send in its place.
 * @returns the end of a sentence that begins with "… cannot be sent:".
 */
export function describeForeignObject(value: object): string {
  if (value instanceof Map) return 'it is a Map. Send Object.fromEntries(map).';
  if (value instanceof Set) return 'it is a Set. Send [...set].';
  if (value instanceof Error) return 'it is an Error. Throw it, or send its message.';
  if (value instanceof RegExp) return 'it is a RegExp. Send its source.';
  if (value instanceof Promise) return 'it is a Promise. Await it first.';
  if (value instanceof ArrayBuffer) return 'it is an ArrayBuffer. Send new Uint8Array(buffer).';
  if (ArrayBuffer.isView(value)) {
    // The elements of other views have a byte order that the wire does not know; only the author can say what is meant.
    return `it is a ${className(value)}. Send its bytes, new Uint8Array(view.buffer, view.byteOffset, view.byteLength), or an array of numbers.`;
  }
  return `it is an instance of ${className(value)}. Send a plain object.`;
}

function className(value: object): string {
  const name: unknown = (value.constructor as { readonly name?: unknown } | undefined)?.name;
  return typeof name === 'string' && name.length > 0 && name.length <= 80 ? name : 'a class';
}
