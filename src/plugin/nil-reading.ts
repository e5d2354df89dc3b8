import type { StandardSchemaIssue } from './standard-schema.js';

type Container = Record<PropertyKey, unknown>;

/**
 * The other reading of a value that a schema refused: absent, `undefined` and nil are one value on the wire (docs/protocol.md, section 2), so that
 * an optional field that was sent as `undefined` arrives as null, which `optional()` of most libraries refuses. What the issues point at
 * and is null is left out.
 *
 * @returns undefined if there is no other reading.
 */
export function otherReading(value: unknown, issues: readonly StandardSchemaIssue[]): { readonly value: unknown } | undefined {
  if (value === undefined || value === null) return { value: null };
  // Each container is copied once, however many issues point into it.
  const copies = new Map<object, Container>();
  const copyOf = (container: object): Container => {
    const copy = copies.get(container) ?? ((Array.isArray(container) ? [...container] : { ...container }) as Container);
    copies.set(container, copy);
    return copy;
  };
  for (const { path = [] } of issues) {
    const keys = path.map((part) => (typeof part === 'object' ? part.key : part));
    if (keys.length > 0 && valueAt(value, keys) === null) leaveOut(value as Container, keys, copyOf);
  }
  return copies.size === 0 ? undefined : { value: copyOf(value as object) };
}

function valueAt(value: unknown, keys: readonly PropertyKey[]): unknown {
  let current = value;
  for (const key of keys) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Container)[key];
  }
  return current;
}

function leaveOut(root: Container, keys: readonly PropertyKey[], copyOf: (container: object) => Container): void {
  let original = root;
  let copy = copyOf(root);
  for (const key of keys.slice(0, -1)) {
    original = original[key] as Container;
    const next = copyOf(original);
    copy[key] = next;
    copy = next;
  }
  const last = keys.at(-1) as PropertyKey;
  if (Array.isArray(original)) copy[last] = undefined;
  else delete copy[last];
}
