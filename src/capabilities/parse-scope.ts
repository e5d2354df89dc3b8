import { nearest } from '../errors/nearest.js';
import type { Scope, ScopeKind, ScopeProblem } from './capability.js';
import { quote } from './text-rules.js';

/** The most patterns that one field of a scope may list. */
export const maxPatternsPerField = 256;

type Fields = Readonly<Record<string, ScopeKind>>;

/** Reads a scope as a manifest or policy writes it; see `Capability.parseScope`. */
export function parseScope(fields: Fields, raw: Readonly<Record<string, unknown>>): { scope: Scope } | { problems: ScopeProblem[] } {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return { problems: [{ path: [], message: 'A scope is a map of fields.' }] };
  const problems: ScopeProblem[] = [];
  const names = Object.keys(fields);
  for (const key of Object.keys(raw)) if (!Object.hasOwn(fields, key)) problems.push({ path: [key], message: unknownField(key, names) });
  const scope: Record<string, readonly string[]> = {};
  for (const name of names) {
    const kind = fields[name];
    if (kind === undefined) continue;
    scope[name] = Object.hasOwn(raw, name) && raw[name] !== undefined ? parseField(name, kind, raw[name], problems) : [kind.everything];
  }
  return problems.length > 0 ? { problems } : { scope };
}

function unknownField(key: string, names: readonly string[]): string {
  if (names.length === 0) return `There is no field ${quote(key)}: this capability has no scope.`;
  const suggestion = nearest(key, names);
  return `There is no field ${quote(key)}; ${suggestion === undefined ? `the fields are ${names.join(', ')}` : `did you mean ${suggestion}`}.`;
}

function parseField(name: string, kind: ScopeKind, raw: unknown, problems: ScopeProblem[]): readonly string[] {
  const list: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  if (list.length === 0)
    problems.push({ path: [name], message: `The list is empty. Name at least one, or leave ${name} out to ask for everything.` });
  if (list.length > maxPatternsPerField) {
    problems.push({ path: [name], message: `A field lists at most ${maxPatternsPerField} patterns, not ${list.length}.` });
    return [];
  }
  const patterns: string[] = [];
  for (const [index, item] of list.entries()) {
    const parsed = parseItem(kind, item);
    if ('pattern' in parsed) patterns.push(parsed.pattern);
    else problems.push({ path: Array.isArray(raw) ? [name, index] : [name], message: parsed.message });
  }
  return minimize(kind, patterns);
}

function parseItem(kind: ScopeKind, item: unknown): { pattern: string } | { message: string } {
  if (typeof item === 'string') return kind.parsePattern(item);
  // YAML and JSON write a port as a number. For any other kind a number is text whose spelling is already lost.
  if (Number.isSafeInteger(item) && kind.acceptsIntegers === true) return kind.parsePattern(String(item));
  return { message: item === null ? 'A value is missing here.' : 'This must be a string.' };
}

/** Sorted, and without patterns that another one covers: equal scopes are written equally. */
export function minimize(kind: ScopeKind, patterns: readonly string[]): readonly string[] {
  const unique = [...new Set(patterns)].sort();
  return unique.filter(
    (pattern, index) => !unique.some((other, at) => at !== index && kind.covers(other, pattern) && (!kind.covers(pattern, other) || at < index)),
  );
}
