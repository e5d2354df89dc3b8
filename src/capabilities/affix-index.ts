import type { PatternIndex } from './capability.js';

/** What distinguishes one pattern language of exact texts and affixes (prefixes or suffixes) from another. */
export interface AffixRules {
  readonly everything: string;
  /** The affix that `pattern` stands for, or undefined if it is an exact text. Never asked for `everything`. */
  affixOf(pattern: string): string | undefined;
  /** The affix of `length` that a pattern must have to match `value`, or undefined where none of that length can. */
  cut(value: string, length: number): string | undefined;
  /** Whether an entry of this pattern overlaps `value`; without it, overlapping is matching. */
  overlaps?(pattern: string, value: string): boolean;
  /** Whether `value` stands for more than itself, so that overlapping and matching differ. */
  isWide?(value: string): boolean;
}

/**
 * An index of exact texts and affixes: one lookup for the exact text and one for each *length* of affix that occurs, so
 * that ten thousand patterns cost as much as ten.
 */
export function createAffixIndex<Entry>(rules: AffixRules): PatternIndex<Entry> {
  const exact = new Map<string, Entry[]>();
  const affixes = new Map<string, Entry[]>();
  const everything: Entry[] = [];
  let lengths: number[] = [];
  const all: { pattern: string; entry: Entry }[] = [];

  function findMatching(value: string, visit: (entry: Entry) => boolean): boolean {
    const same = exact.get(value);
    if (same?.some(visit)) return true;
    for (const length of lengths) {
      const affix = cutOrNone(value, length);
      const entries = affix === undefined ? undefined : affixes.get(affix);
      if (entries?.some(visit)) return true;
    }
    return everything.some(visit);
  }

  function cutOrNone(value: string, length: number): string | undefined {
    return length > value.length ? undefined : rules.cut(value, length);
  }

  return {
    add(pattern, entry) {
      if (rules.overlaps !== undefined) all.push({ pattern, entry });
      if (pattern === rules.everything) {
        everything.push(entry);
        return;
      }
      const affix = rules.affixOf(pattern);
      append(affix === undefined ? exact : affixes, affix ?? pattern, entry);
      if (affix !== undefined && !lengths.includes(affix.length)) lengths = [...lengths, affix.length].sort((a, b) => a - b);
    },
    findMatching,
    findOverlapping(value, visit) {
      const overlaps = rules.overlaps;
      if (overlaps === undefined || rules.isWide?.(value) !== true) return findMatching(value, visit);
      return all.some(({ pattern, entry }) => overlaps(pattern, value) && visit(entry));
    },
  };
}

function append<Entry>(map: Map<string, Entry[]>, key: string, entry: Entry): void {
  const entries = map.get(key);
  if (entries === undefined) map.set(key, [entry]);
  else entries.push(entry);
}
