import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ScopeKind } from '../../src/capabilities/index.js';
import { kindModels } from './kinds.js';

const runs = { numRuns: 400 };
const nasty = fc.constantFrom(
  'a',
  'é',
  'e\u0301',
  '\u212A',
  '\u200B',
  '\u202E',
  '\u2028',
  '\u0000',
  '\n',
  '\ud800',
  '\udc00',
  '。',
  '.',
  '/',
  '*',
  ' ',
);

describe.each(Object.entries(kindModels))('[policy.scope-algebra] %s', (_, model) => {
  const { kind, patterns, points, reads, wideValues } = model;
  const pattern = fc.constantFrom(...patterns);
  const point = fc.constantFrom(...points);
  const value = wideValues ? fc.oneof(point, pattern) : point;
  const reach = new Map(patterns.map((one) => [one, new Set(points.filter((candidate) => reads(one, candidate)))]));
  const reachOf = (one: string): ReadonlySet<string> => reach.get(one) ?? new Set(points.filter((candidate) => reads(one, candidate)));

  test('the patterns and points of the model are in normal form', () => {
    for (const one of patterns) expect(kind.parsePattern(one)).toEqual({ pattern: one });
    for (const one of points) {
      expect(kind.parseValue(one)).toEqual({ value: one });
      expect(kind.isValue(one)).toBe(true);
    }
  });

  test('a pattern matches a point as the documentation reads', () => {
    fc.assert(
      fc.property(pattern, point, (one, at) => {
        expect(kind.matches(one, at)).toBe(reads(one, at));
      }),
      { numRuns: 600 },
    );
  });

  test('covers is inclusion, no more and no less', () => {
    fc.assert(
      fc.property(pattern, pattern, (outer, inner) => {
        const included = [...reachOf(inner)].every((at) => reachOf(outer).has(at));
        expect(kind.covers(outer, inner)).toBe(included);
      }),
      runs,
    );
  });

  test('covers is reflexive and transitive, and everything covers all', () => {
    fc.assert(
      fc.property(pattern, pattern, pattern, (a, b, c) => {
        expect(kind.covers(a, a)).toBe(true);
        expect(kind.covers(kind.everything, a)).toBe(true);
        if (kind.covers(a, b) && kind.covers(b, c)) expect(kind.covers(a, c)).toBe(true);
      }),
      runs,
    );
  });

  test('what a narrower pattern matches the wider one matches', () => {
    fc.assert(
      fc.property(pattern, pattern, value, (outer, inner, at) => {
        if (kind.covers(outer, inner) && kind.matches(inner, at)) expect(kind.matches(outer, at)).toBe(true);
      }),
      { numRuns: 600 },
    );
  });

  test('intersect is exact, also for values that are patterns', () => {
    fc.assert(
      fc.property(pattern, pattern, value, (left, right, at) => {
        const both = kind.intersect(left, right);
        expect(both.some((one) => kind.matches(one, at))).toBe(kind.matches(left, at) && kind.matches(right, at));
        for (const one of both) expect(kind.parsePattern(one)).toEqual({ pattern: one });
      }),
      { numRuns: 600 },
    );
  });

  test('a value that is a pattern is matched when it is covered, and overlaps when they share a point', () => {
    fc.assert(
      fc.property(pattern, value, (one, at) => {
        const touched = wideValues && patterns.includes(at) ? reachOf(at) : new Set([at]);
        expect(kind.matches(one, at)).toBe([...touched].every((each) => reachOf(one).has(each) || reads(one, each)));
        const overlaps = kind.overlaps ?? kind.matches;
        expect(overlaps.call(kind, one, at)).toBe([...touched].some((each) => reads(one, each)));
      }),
      { numRuns: 600 },
    );
  });

  test('the index finds what asking each pattern in turn finds', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 20 }), value, (list, at) => {
        const overlaps = kind.overlaps?.bind(kind) ?? kind.matches.bind(kind);
        expect(find(kind, list, at, 'findMatching')).toEqual(indices(list, (one) => kind.matches(one, at)));
        expect(find(kind, list, at, 'findOverlapping')).toEqual(indices(list, (one) => overlaps(one, at)));
      }),
      runs,
    );
  });

  test('normal forms are stable, and what has none is matched by nothing', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: nasty }), fc.string({ unit: fc.constantFrom('a', '.', '/', '*', '%', '2e', ' ') })),
        (text) => {
          const parsed = kind.parsePattern(text);
          if ('pattern' in parsed) expect(kind.parsePattern(parsed.pattern)).toEqual(parsed);
          else expect(parsed.message).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+[.?]$/u);
          const read = kind.parseValue(text);
          expect('value' in read && read.value === text).toBe(kind.isValue(text));
          if ('value' in read) expect(kind.isValue(read.value)).toBe(true);
          if (!kind.isValue(text)) {
            expect(kind.matches(kind.everything, text)).toBe(false);
            expect(kind.overlaps?.(kind.everything, text) ?? false).toBe(false);
          } else {
            expect(kind.matches(kind.everything, text)).toBe(true);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

function find(kind: ScopeKind, list: readonly string[], at: string, how: 'findMatching' | 'findOverlapping'): number[] {
  const index = kind.createIndex?.<number>();
  const found = new Set<number>();
  for (const [entry, one] of list.entries()) index?.add(one, entry);
  index?.[how](at, (entry) => {
    found.add(entry);
    return false;
  });
  return [...found].sort((a, b) => a - b);
}

function indices(list: readonly string[], test: (pattern: string) => boolean): number[] {
  return list.flatMap((one, index) => (test(one) ? [index] : []));
}
