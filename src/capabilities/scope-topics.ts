import type { ScopeKind } from './capability.js';
import { createTopicIndex } from './topic-index.js';

const everything = '**';
const maxLength = 256;
const maxSegments = 32;
/** Printable ASCII but `*` and the dot. */
const word = '[!-)+-\\-/-~]+';
const segmentForm = new RegExp(`^${word}$`);
const topicForm = new RegExp(`^${word}(?:\\.${word})*$`);
const patternForm = new RegExp(`^(?:\\*\\*|(?:\\*|${word})(?:\\.(?:\\*|${word}))*(?:\\.\\*\\*)?)$`);

/** What an attempt may name. */
export interface TopicPatternOptions {
  /**
   * `patterns`: topics and patterns, as a subscription names them; what a pattern touches is all that it covers.
   * `topics`: topics only, as a publisher names them. Default `patterns`.
   */
  readonly attempts?: 'patterns' | 'topics';
}

/**
 * Topics: segments parted by dots. In a pattern `*` stands for exactly one segment, and `**`, as the last segment only,
 * for one or more: `mail.*` covers `mail.sent`, not `mail.sent.today` and not `mail`; `mail.**` covers the first two;
 * `**` covers everything. A wildcard is always a whole segment.
 *
 * Segments are printable ASCII without white space and `*`, compared with case; none is empty. At most 256 characters
 * and 32 segments.
 *
 * **An attempt to subscribe names a pattern**, so here a value may be one: `matches('mail.*', 'mail.**')` asks whether
 * `mail.*` covers *all* that `mail.**` stands for, and is false. On patterns `matches` is `covers`. A deny rule denies a
 * subscription that overlaps it anywhere.
 */
export function topicPatterns(options: TopicPatternOptions = {}): ScopeKind {
  return options.attempts === 'topics' ? topicsOnly : patternsToo;
}

function createKind(name: string, isValue: (value: string) => boolean, whatValuesAre: string): ScopeKind {
  return Object.freeze<ScopeKind>({
    name,
    everything,
    schema: Object.freeze({
      type: 'string',
      minLength: 1,
      maxLength,
      pattern: patternForm.source,
      description: 'A topic; `*` stands for one segment, `**` at the end for one or more.',
    }),
    parsePattern: (pattern) => (isPattern(pattern) ? { pattern } : { message: explain(pattern) }),
    parseValue: (value) => (isValue(value) ? { value } : { message: isPattern(value) ? whatValuesAre : explain(value) }),
    isValue,
    matches: (pattern, value) => isValue(value) && covers(pattern, value),
    covers,
    intersect,
    overlaps: (pattern, value) => isValue(value) && intersect(pattern, value).length > 0,
    createIndex: createTopicIndex,
  });
}

const patternsToo = createKind('topicPatterns', isPattern, 'A topic or a topic pattern.');
const topicsOnly = createKind('topics', isTopic, 'This names one topic, so it has no wildcards.');

function isPattern(text: string): boolean {
  return text.length <= maxLength && patternForm.test(text) && hasFewSegments(text);
}

function isTopic(text: string): boolean {
  return text.length <= maxLength && topicForm.test(text) && hasFewSegments(text);
}

function hasFewSegments(text: string): boolean {
  return text.length < 2 * maxSegments || text.split('.').length <= maxSegments;
}

function covers(outer: string, inner: string): boolean {
  if (outer === inner || outer === everything) return true;
  const wide = outer.split('.');
  const narrow = inner.split('.');
  for (const [index, segment] of wide.entries()) {
    const other = narrow[index];
    if (other === undefined) return false;
    if (segment === '**') return true;
    if (segment === '*' ? other === '**' : segment !== other) return false;
  }
  return wide.length === narrow.length;
}

function intersect(left: string, right: string): readonly string[] {
  const one = left.split('.');
  const other = right.split('.');
  const both: string[] = [];
  for (let index = 0; ; index++) {
    const a = one[index];
    const b = other[index];
    if (a === undefined || b === undefined) return a === b ? [both.join('.')] : [];
    // `**` is one segment or more, and so is whatever is left of the other side, even if that ends in `**` itself.
    if (a === '**') return [[...both, ...other.slice(index)].join('.')];
    if (b === '**') return [[...both, ...one.slice(index)].join('.')];
    if (a !== '*' && b !== '*' && a !== b) return [];
    both.push(a === '*' ? b : a);
  }
}

function explain(text: string): string {
  if (text === '') return 'A topic is not empty.';
  if (text.length > maxLength || text.split('.').length > maxSegments)
    return `A topic has at most ${maxLength} characters and ${maxSegments} segments.`;
  const segments = text.split('.');
  if (segments.includes('')) return 'A topic has no empty segments.';
  if (segments.slice(0, -1).includes('**')) return '`**` stands only at the end of a topic pattern.';
  if (segments.some((segment) => segment.includes('*') && segment !== '*' && segment !== '**'))
    return 'A wildcard is a whole segment: `mail.*`, not `mail.s*`.';
  return segments.every((segment) => segment.includes('*') || segmentForm.test(segment))
    ? 'This is not a topic pattern.'
    : 'A topic is printable ASCII without white space.';
}
