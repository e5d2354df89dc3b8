import type { PatternIndex, ScopeKind } from './capability.js';

const everything = '*';
const highest = 65_535;
const form = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/;

/**
 * TCP and UDP ports: `443`, a range `8000-8999` (both ends included), or `*` for all. Numbers without leading zeros, from
 * 1 to 65,535; in a manifest or policy a single port may also be a YAML or JSON number.
 */
export function ports(): ScopeKind {
  return kind;
}

interface Range {
  readonly first: number;
  readonly last: number;
}

const kind: ScopeKind = Object.freeze<ScopeKind>({
  name: 'ports',
  everything,
  acceptsIntegers: true,
  schema: Object.freeze({
    anyOf: [
      { type: 'integer', minimum: 1, maximum: highest },
      { type: 'string', pattern: '^(\\*|[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?)$' },
    ],
    description: 'A port, a range as `8000-8999`, or `*` for any.',
  }),
  parsePattern(pattern) {
    const range = readRange(pattern);
    return range === undefined
      ? { message: `A port is a number from 1 to ${highest}, a range as \`8000-8999\`, or \`*\`.` }
      : { pattern: write(range) };
  },
  parseValue: (value) => (isValue(value) ? { value } : { message: `A port is a number from 1 to ${highest}.` }),
  isValue,
  matches: (pattern, value) => isValue(value) && covers(pattern, value),
  covers,
  intersect(left, right) {
    const one = readRange(left);
    const other = readRange(right);
    if (one === undefined || other === undefined) return [];
    const first = Math.max(one.first, other.first);
    const last = Math.min(one.last, other.last);
    return first > last ? [] : [write({ first, last })];
  },
  createIndex: createPortIndex,
});

function isValue(value: string): boolean {
  return value.length <= 5 && form.test(value) && Number(value) <= highest;
}

function covers(outer: string, inner: string): boolean {
  if (outer === inner || outer === everything) return true;
  const wide = readRange(outer);
  const narrow = readRange(inner);
  return wide !== undefined && narrow !== undefined && wide.first <= narrow.first && narrow.last <= wide.last;
}

function readRange(pattern: string): Range | undefined {
  if (pattern === everything) return { first: 1, last: highest };
  const parts = form.exec(pattern);
  if (parts === null) return undefined;
  const first = Number(parts[1]);
  const last = Number(parts[2] ?? parts[1]);
  return first <= last && last <= highest ? { first, last } : undefined;
}

function write({ first, last }: Range): string {
  if (first === 1 && last === highest) return everything;
  return first === last ? String(first) : `${first}-${last}`;
}

/** Single ports by lookup; ranges, of which there are few, in turn. */
function createPortIndex<Entry>(): PatternIndex<Entry> {
  const single = new Map<string, Entry[]>();
  const ranges: (Range & { readonly entry: Entry })[] = [];
  function find(value: string, visit: (entry: Entry) => boolean): boolean {
    if (single.get(value)?.some(visit)) return true;
    const port = Number(value);
    return ranges.some((range) => range.first <= port && port <= range.last && visit(range.entry));
  }
  return {
    add(pattern, entry) {
      const range = readRange(pattern);
      if (range === undefined) return;
      if (range.first !== range.last) ranges.push({ ...range, entry });
      else if (!single.get(pattern)?.push(entry)) single.set(pattern, [entry]);
    },
    findMatching: find,
    findOverlapping: find,
  };
}
