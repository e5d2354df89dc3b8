import { nearest } from '../errors/nearest.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { createAffixIndex } from './affix-index.js';
import type { ScopeKind } from './capability.js';
import { quote } from './text-rules.js';

const everything = '*';

/**
 * One of a fixed set of words, as HTTP methods; `*` covers all of the set, and nothing outside of it. Case is ignored: a
 * word is brought into the spelling of the set.
 * @throws INVALID_ARGUMENT for an empty set, an empty word, `*`, or words that differ only in case.
 */
export function oneOf(words: readonly string[]): ScopeKind {
  const spelling = new Map(words.map((word) => [word.toLowerCase(), word]));
  if (words.length === 0 || spelling.size !== words.length || spelling.has('') || spelling.has(everything)) {
    throw new WorkerRuntimeError('INVALID_ARGUMENT', 'scopes.oneOf takes at least one word; the words differ, and none is empty or `*`.');
  }
  const set = new Set(words);
  const list = words.join(', ');

  function parse(text: string): string | undefined {
    return spelling.get(text.toLowerCase());
  }
  function unknownWord(text: string): string {
    const suggestion = nearest(text, words);
    return `${quote(text)} is not one of ${list}.${suggestion === undefined ? '' : ` Did you mean ${suggestion}?`}`;
  }
  return Object.freeze<ScopeKind>({
    name: 'oneOf',
    everything,
    schema: Object.freeze({ type: 'string', enum: [everything, ...words] }),
    parsePattern(pattern) {
      if (pattern === everything) return { pattern };
      const word = parse(pattern);
      return word === undefined ? { message: unknownWord(pattern) } : { pattern: word };
    },
    parseValue(value) {
      const word = parse(value);
      return word === undefined ? { message: unknownWord(value) } : { value: word };
    },
    isValue: (value) => set.has(value),
    matches: (pattern, value) => (pattern === value || pattern === everything) && set.has(value),
    covers: (outer, inner) => outer === everything || outer === inner,
    intersect(left, right) {
      if (left === everything) return [right];
      return right === everything || left === right ? [left] : [];
    },
    createIndex: () => createAffixIndex({ everything, affixOf: () => undefined, cut: () => undefined }),
  });
}
