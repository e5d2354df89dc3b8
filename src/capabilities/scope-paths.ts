import { createAffixIndex } from './affix-index.js';
import type { ScopeKind } from './capability.js';
import { describeForbidden, isCleanPattern, isCleanValue } from './text-rules.js';

const everything = '/';
const maxLength = 4_096;
const maxSegments = 128;

/** Empty, `.` and `..` segments: what makes one file have several names. */
const ambiguousSegment = /\/(?:\.{0,2}(?:\/|$))/;
/** A dot, slash, backslash or NUL in percent encoding: harmless to a file system, but not to whoever decodes it later. */
const encodedSeparator = /%(?:2e|2f|5c|00)/i;

/**
 * Absolute POSIX paths. A pattern covers the file or folder itself and everything beneath it, by whole segments: `/data`
 * covers `/data` and `/data/a/b`, not `/database`. `/` covers everything.
 *
 * A path is compared character by character: nothing is decoded, folded or resolved. Paths with empty, `.` or `..`
 * segments, backslashes, control characters, or with a dot, slash, backslash or NUL in percent encoding are refused, as
 * are more than 4,096 characters or 128 segments. One slash at the end is dropped. Symbolic links are not the business
 * of this algebra: whoever opens a file must see to it that what is opened is what was decided.
 */
export function pathPrefixes(): ScopeKind {
  return kind;
}

const kind: ScopeKind = Object.freeze<ScopeKind>({
  name: 'pathPrefixes',
  everything,
  schema: Object.freeze({
    type: 'string',
    minLength: 1,
    maxLength,
    pattern: '^/',
    description: 'An absolute path; it covers everything beneath it.',
  }),
  parsePattern(raw) {
    const pattern = withoutFinalSlash(raw);
    if (/[*?]/.test(pattern)) return { message: 'A path has no wildcards; it covers everything beneath it.' };
    const message = problemOf(pattern) ?? (isCleanPattern(pattern) ? undefined : describeForbidden(pattern));
    return message === undefined ? { pattern } : { message };
  },
  parseValue(raw) {
    const value = withoutFinalSlash(raw);
    const message = problemOf(value);
    return message === undefined ? { value } : { message };
  },
  isValue,
  matches: (pattern, value) => isValue(value) && covers(pattern, value),
  covers,
  intersect(left, right) {
    if (covers(left, right)) return [right];
    return covers(right, left) ? [left] : [];
  },
  createIndex: () =>
    createAffixIndex({
      everything,
      affixOf: (pattern) => pattern,
      cut: (value, length) => (length === value.length || value[length] === '/' ? value.slice(0, length) : undefined),
    }),
});

function covers(outer: string, inner: string): boolean {
  return outer === everything || outer === inner || (inner.startsWith(outer) && inner[outer.length] === '/');
}

function withoutFinalSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function isValue(value: string): boolean {
  return problemOf(value) === undefined;
}

function problemOf(path: string): string | undefined {
  if (!path.startsWith('/')) return 'A path is absolute: it starts with `/`.';
  if (path === everything) return undefined;
  if (path.length > maxLength) return `A path has at most ${maxLength} characters.`;
  if (ambiguousSegment.test(path)) return 'A path has no empty, `.` or `..` segments.';
  if (path.includes('\\')) return 'A path is written with `/`, not with a backslash.';
  if (path.includes('%') && encodedSeparator.test(path)) return 'A path holds no dot, slash, backslash or NUL in percent encoding.';
  if (!isCleanValue(path)) return describeForbidden(path);
  return hasTooManySegments(path) ? `A path has at most ${maxSegments} segments.` : undefined;
}

function hasTooManySegments(path: string): boolean {
  if (path.length <= 2 * maxSegments) return false;
  let slashes = 0;
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) slashes++;
  return slashes > maxSegments;
}
