import { type ScopeKind, scopes } from '../../src/capabilities/index.js';

/**
 * A kind of scope with an independent, deliberately simple reading of its patterns over a small universe of points that
 * is large enough to tell all the patterns listed from each other.
 */
export interface KindModel {
  readonly kind: ScopeKind;
  readonly patterns: readonly string[];
  readonly points: readonly string[];
  /** Whether the pattern covers the point, by the documentation alone. */
  reads(pattern: string, point: string): boolean;
  /** Whether values may be patterns. */
  readonly wideValues: boolean;
}

function sequences(words: readonly string[], maxLength: number, separator: string): string[] {
  let last: string[] = [...words];
  const all = [...words];
  for (let length = 2; length <= maxLength; length++) {
    last = last.flatMap((start) => words.map((word) => `${start}${separator}${word}`));
    all.push(...last);
  }
  return all;
}

const plainTopics = sequences(['a', 'b', '*'], 3, '.');
const topicReading = (pattern: string, point: string): boolean =>
  new RegExp(
    `^${pattern
      .replaceAll('.', '\\.')
      .replaceAll('**', '.+')
      .replaceAll(/(?<!\.)\*/g, '[^.]+')
      .replaceAll(/\\\.\*/g, '\\.[^.]+')}$`,
  ).test(point);

export const kindModels: Readonly<Record<string, KindModel>> = {
  names: {
    kind: scopes.names(),
    patterns: ['*', 'a', 'b', 'constructor', '__proto__'],
    points: ['a', 'b', 'c', 'constructor', '__proto__', 'toString'],
    reads: (pattern, point) => pattern === '*' || pattern === point,
    wideValues: false,
  },
  oneOf: {
    kind: scopes.oneOf(['GET', 'POST', 'PUT']),
    patterns: ['*', 'GET', 'POST'],
    points: ['GET', 'POST', 'PUT'],
    reads: (pattern, point) => pattern === '*' || pattern === point,
    wideValues: false,
  },
  hostPatterns: {
    kind: scopes.hostPatterns(),
    patterns: ['*', ...sequences(['a', 'b', 'ba'], 3, '.').flatMap((name) => [name, `*.${name}`]), '10.0.0.1', '::1'],
    points: [...sequences(['a', 'b', 'ba', 'z'], 4, '.'), '10.0.0.1', '10.0.0.2', '::1', '::2'],
    reads: (pattern, point) => pattern === '*' || pattern === point || (pattern.startsWith('*') && point.endsWith(pattern.slice(1))),
    wideValues: false,
  },
  pathPrefixes: {
    kind: scopes.pathPrefixes(),
    patterns: ['/', ...sequences(['a', 'b', 'ab'], 3, '/').map((path) => `/${path}`)],
    points: ['/', ...sequences(['a', 'b', 'ab', 'z'], 4, '/').map((path) => `/${path}`)],
    reads: (pattern, point) => pattern === '/' || `${point}/`.startsWith(`${pattern}/`),
    wideValues: false,
  },
  ports: {
    kind: scopes.ports(),
    patterns: ['*', '1', '2', '80', '65535', '1-2', '2-80', '80-81', '1-65534', '2-65535'],
    points: ['1', '2', '3', '79', '80', '81', '82', '65534', '65535'],
    reads(pattern, point) {
      const [first, last = first] = pattern.split('-').map(Number);
      return pattern === '*' || (first !== undefined && last !== undefined && first <= Number(point) && Number(point) <= last);
    },
    wideValues: false,
  },
  keyPrefixes: {
    kind: scopes.keyPrefixes(),
    patterns: ['*', ...sequences(['a', 'b', '/'], 3, '').flatMap((key) => [key, `${key}*`])],
    points: sequences(['a', 'b', '/', 'z'], 4, ''),
    reads: (pattern, point) => (pattern.endsWith('*') ? point.startsWith(pattern.slice(0, -1)) : point === pattern),
    wideValues: true,
  },
  topicPatterns: {
    kind: scopes.topicPatterns(),
    patterns: ['**', ...plainTopics, ...sequences(['a', 'b', '*'], 2, '.').map((start) => `${start}.**`)],
    points: sequences(['a', 'b', 'z'], 5, '.'),
    reads: topicReading,
    wideValues: true,
  },
  topics: {
    kind: scopes.topicPatterns({ attempts: 'topics' }),
    patterns: ['**', ...plainTopics, ...sequences(['a', 'b', '*'], 2, '.').map((start) => `${start}.**`)],
    points: sequences(['a', 'b', 'z'], 4, '.'),
    reads: topicReading,
    wideValues: false,
  },
};
