import { createAffixIndex } from './affix-index.js';
import type { ScopeKind } from './capability.js';
import { describeForbidden, isCleanPattern } from './text-rules.js';

const everything = '*';
const maxLength = 256;
const wordOfAscii = /^[!-)+-~]+$/;

/**
 * Exact names, compared character by character; `*` alone covers all.
 *
 * A name has 1 to 256 characters, no `*`, no control or invisible characters and no white space at its ends. It must be
 * in Unicode's NFC form and is refused otherwise rather than converted: a converted name would be decided upon while
 * another one is used.
 */
export function names(): ScopeKind {
  return kind;
}

const kind: ScopeKind = Object.freeze<ScopeKind>({
  name: 'names',
  everything,
  schema: Object.freeze({ type: 'string', minLength: 1, maxLength, description: 'An exact name, or `*` for any.' }),
  parsePattern(pattern) {
    if (pattern === everything) return { pattern };
    const message = problemOf(pattern);
    return message === undefined ? { pattern } : { message };
  },
  parseValue(value) {
    const message = problemOf(value);
    return message === undefined ? { value } : { message };
  },
  isValue,
  matches: (pattern, value) => (pattern === value || pattern === everything) && isValue(value),
  covers: (outer, inner) => outer === everything || outer === inner,
  intersect(left, right) {
    if (left === everything) return [right];
    return right === everything || left === right ? [left] : [];
  },
  createIndex: () => createAffixIndex({ everything, affixOf: () => undefined, cut: () => undefined }),
});

function isValue(value: string): boolean {
  return value.length <= maxLength && (wordOfAscii.test(value) || problemOf(value) === undefined);
}

function problemOf(name: string): string | undefined {
  if (name.length === 0) return 'A name is not empty.';
  if (name.length > maxLength) return `A name has at most ${maxLength} characters.`;
  if (name.includes('*')) return 'A name holds no `*`; write `*` alone to name all.';
  if (!isCleanPattern(name)) return describeForbidden(name);
  if (name.trim() !== name) return 'A name neither starts nor ends with white space.';
  if (name.normalize('NFC') !== name) return 'A name is written in the Unicode form NFC.';
  return undefined;
}
