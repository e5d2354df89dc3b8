import type { Capability, PatternIndex, Scope, ScopeKind } from '../capabilities/capability.js';

/** One value for each field of a capability's scope, in the order of {@link ScopeSet.fields}. */
export type Tuple = readonly string[];

/** A scope with what belongs to it: a grant or a rule. */
export interface ScopedItem<Item> {
  readonly scope: Scope;
  readonly item: Item;
  /** The instant from which on it covers nothing, in milliseconds since the epoch. Default never. */
  readonly untilMs?: number;
}

/** The same, compiled. */
export interface ScopeEntry<Item> {
  readonly item: Item;
  readonly untilMs: number;
  /** For each field its patterns, or null where they are everything. */
  readonly patterns: readonly (readonly string[] | null)[];
}

/** A field of a capability's scope. */
export interface ScopeField {
  readonly name: string;
  readonly kind: ScopeKind;
}

/** Many scopes of one capability, compiled so that a question does not grow with their number. */
export interface ScopeSet<Item> {
  readonly entries: readonly ScopeEntry<Item>[];
  /** Whether any entry covers nothing from some instant on. */
  readonly canExpire: boolean;
  /** The first item that covers the tuple in all fields at the instant `nowMs`. */
  findCovering(tuple: Tuple, nowMs: number): Item | undefined;
  /** The first item that overlaps the tuple in all fields. */
  findOverlapping(tuple: Tuple): Item | undefined;
  /** The fields, as indices, that the entry nearest to covering the tuple does not cover; all of them if there is no entry. */
  uncoveredFields(tuple: Tuple): readonly number[];
}

/** The most entries that are looked at to say what is missing: a denial must not become dear. */
const maxExamined = 32;

/** The fields of a capability's scope, in a fixed order. */
export function fieldsOf(capability: Capability): readonly ScopeField[] {
  return Object.entries(capability.scope).map(([name, kind]) => ({ name, kind }));
}

/**
 * Compiles scopes. The field in which they differ most gets an index; what that finds is compared in the other fields.
 * A question costs more only where many scopes share the same pattern of that field.
 */
export function createScopeSet<Item>(fields: readonly ScopeField[], scopes: readonly ScopedItem<Item>[]): ScopeSet<Item> {
  const entries = scopes.map(({ scope, item, untilMs = Number.POSITIVE_INFINITY }) => ({
    item,
    untilMs,
    patterns: fields.map(({ name, kind }) => patternsOrNull(scope, name, kind)),
  }));
  const primary = mostSelective(fields, entries);
  const index = createIndex<ScopeEntry<Item>>(fields[primary]?.kind);
  for (const entry of entries) {
    for (const pattern of entry.patterns[primary] ?? [fields[primary]?.kind.everything ?? '']) index.add(pattern, entry);
  }

  function covers(entry: ScopeEntry<Item>, field: number, value: string): boolean {
    const patterns = entry.patterns[field];
    if (patterns === null || patterns === undefined) return true;
    const kind = fields[field]?.kind;
    return patterns.includes(value) || (kind !== undefined && patterns.some((pattern) => kind.matches(pattern, value)));
  }
  function overlaps(entry: ScopeEntry<Item>, field: number, value: string): boolean {
    const patterns = entry.patterns[field];
    if (patterns === null || patterns === undefined) return true;
    const kind = fields[field]?.kind;
    return (
      kind !== undefined && patterns.some((pattern) => (kind.overlaps === undefined ? kind.matches(pattern, value) : kind.overlaps(pattern, value)))
    );
  }
  function holdsElsewhere(test: typeof covers, entry: ScopeEntry<Item>, tuple: Tuple): boolean {
    for (let field = 0; field < tuple.length; field++) {
      if (field !== primary && !test(entry, field, tuple[field] ?? '')) return false;
    }
    return true;
  }

  const canExpire = entries.some((entry) => entry.untilMs < Number.POSITIVE_INFINITY);
  const allFields: readonly number[] = fields.map((_, field) => field);
  return {
    entries,
    canExpire,
    findCovering(tuple, nowMs) {
      if (entries.length === 0) return undefined;
      let found: Item | undefined;
      index.findMatching(tuple[primary] ?? '', (entry) => {
        // Asked in this way round, so that a time that is no number finds every grant expired.
        const isInForce = nowMs < entry.untilMs;
        if (!isInForce || !holdsElsewhere(covers, entry, tuple)) return false;
        found = entry.item;
        return true;
      });
      return found;
    },
    findOverlapping(tuple) {
      if (entries.length === 0) return undefined;
      let found: Item | undefined;
      index.findOverlapping(tuple[primary] ?? '', (entry) => {
        if (!holdsElsewhere(overlaps, entry, tuple)) return false;
        found = entry.item;
        return true;
      });
      return found;
    },
    uncoveredFields(tuple) {
      if (fields.length === 1 && !canExpire) return allFields;
      const near: ScopeEntry<Item>[] = [];
      index.findMatching(tuple[primary] ?? '', (entry) => near.push(entry) >= maxExamined);
      const least = near.length > 0 ? 0 : 1;
      let best = allFields;
      for (const entry of near.length > 0 ? near : entries.slice(0, maxExamined)) {
        if (best.length <= least) break;
        const missing: number[] = [];
        for (let field = 0; field < fields.length; field++) {
          // What the index did not find covers the primary field nowhere, so that need not be asked.
          const covered = field === primary ? near.length > 0 : covers(entry, field, tuple[field] ?? '');
          if (!covered) missing.push(field);
        }
        if (missing.length < best.length) best = missing;
      }
      return best;
    },
  };
}

function patternsOrNull(scope: Scope, name: string, kind: ScopeKind): readonly string[] | null {
  const patterns = Object.hasOwn(scope, name) ? (scope[name] ?? []) : [];
  return patterns.includes(kind.everything) ? null : patterns;
}

function mostSelective<Item>(fields: readonly ScopeField[], entries: readonly ScopeEntry<Item>[]): number {
  const distinct = fields.map((_, field) => new Set(entries.flatMap((entry) => entry.patterns[field] ?? [])).size);
  return Math.max(0, distinct.indexOf(Math.max(...distinct)));
}

function createIndex<Entry>(kind: ScopeKind | undefined): PatternIndex<Entry> {
  if (kind?.createIndex !== undefined) return kind.createIndex<Entry>();
  const all: { readonly pattern: string; readonly entry: Entry }[] = [];
  // A capability without scope fields has no kind: whatever is in the set covers its attempts.
  const matches = kind === undefined ? () => true : kind.matches.bind(kind);
  const overlaps = kind?.overlaps?.bind(kind) ?? matches;
  return {
    add: (pattern, entry) => void all.push({ pattern, entry }),
    findMatching: (value, visit) => all.some(({ pattern, entry }) => matches(pattern, value) && visit(entry)),
    findOverlapping: (value, visit) => all.some(({ pattern, entry }) => overlaps(pattern, value) && visit(entry)),
  };
}
