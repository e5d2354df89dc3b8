/** The `Object.prototype` of another realm, as test runners and `node:vm` have them. */
export function isForeignObjectPrototype(prototype: unknown): boolean {
  return (
    typeof prototype === 'object' && prototype !== null && Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
  );
}
