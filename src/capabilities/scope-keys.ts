import { createAffixIndex } from './affix-index.js';
import type { ScopeKind } from './capability.js';
import { describeForbidden, isCleanPattern, isCleanValue } from './text-rules.js';

const everything = '*';
const maxLength = 1_024;

/**
 * Keys and prefixes of keys: `user/1` is that key alone, `user/*` every key that starts with `user/`, `*` every key. A
 * `*` stands only at the end. Keys are compared character by character; nothing is folded or converted.
 *
 * A value that ends in `*` stands for all keys of that prefix (an attempt to list them, say), so it is covered only by a
 * prefix at least as wide, and a deny rule for a single key beneath it denies it. A key that itself ends in `*` is
 * judged in the same, stricter way. A key has 1 to 1,024 characters and no control characters.
 */
export function keyPrefixes(): ScopeKind {
  return kind;
}

const kind: ScopeKind = Object.freeze<ScopeKind>({
  name: 'keyPrefixes',
  everything,
  schema: Object.freeze({
    type: 'string',
    minLength: 1,
    maxLength,
    pattern: '^[^*]*\\*?$',
    description: 'A key, or a prefix of keys followed by `*`.',
  }),
  parsePattern(pattern) {
    if (pattern.length === 0) return { message: 'A key is not empty.' };
    if (pattern.length > maxLength) return { message: `A key has at most ${maxLength} characters.` };
    if (prefixOf(pattern).includes('*')) return { message: 'A `*` stands only at the end, for all keys that start with what is before it.' };
    return isCleanPattern(pattern) ? { pattern } : { message: describeForbidden(pattern) };
  },
  parseValue(value) {
    if (value.length === 0) return { message: 'A key is not empty.' };
    if (value.length > maxLength) return { message: `A key has at most ${maxLength} characters.` };
    return isCleanValue(value) ? { value } : { message: describeForbidden(value) };
  },
  isValue,
  matches: (pattern, value) => isValue(value) && covers(pattern, value),
  covers,
  intersect(left, right) {
    if (covers(left, right)) return [right];
    return covers(right, left) ? [left] : [];
  },
  overlaps: (pattern, value) => isValue(value) && overlaps(pattern, value),
  createIndex: () =>
    createAffixIndex({
      everything,
      affixOf: (pattern) => (isWide(pattern) ? prefixOf(pattern) : undefined),
      // Of a wide value, too: its own `*` is part of no prefix, since no pattern has one within.
      cut: (value, length) => value.slice(0, length),
      overlaps,
      isWide,
    }),
});

function isValue(value: string): boolean {
  return value.length > 0 && value.length <= maxLength && isCleanValue(value);
}

function isWide(pattern: string): boolean {
  return pattern.endsWith('*');
}

function prefixOf(pattern: string): string {
  return isWide(pattern) ? pattern.slice(0, -1) : pattern;
}

function covers(outer: string, inner: string): boolean {
  return isWide(outer) ? prefixOf(inner).startsWith(prefixOf(outer)) : outer === inner;
}

function overlaps(left: string, right: string): boolean {
  return covers(left, right) || covers(right, left);
}
