import type { Scope, ScopeKind } from './capability.js';
import { quote } from './text-rules.js';

const plainPattern = /^[A-Za-z0-9._~/*@:+-]+$/;
const placeholder = /\{([^{}]*)\}/g;

/** The names in braces of a sentence, in order. */
export function placeholdersOf(sentence: string): string[] {
  return Array.from(sentence.matchAll(placeholder), (match) => match[1] ?? '');
}

/** Fills the placeholders of an operator's sentence with the patterns of a scope. */
export function describeScope(sentence: string, fields: Readonly<Record<string, ScopeKind>>, scope: Scope): string {
  return sentence.replace(placeholder, (_, field: string) =>
    describeField(field, fields[field], Object.hasOwn(scope, field) ? (scope[field] ?? []) : []),
  );
}

function describeField(field: string, kind: ScopeKind | undefined, patterns: readonly string[]): string {
  if (kind !== undefined && patterns.includes(kind.everything)) return `any ${singular(field)}`;
  return patterns.length === 0 ? `no ${singular(field)}` : joinWords(patterns.map(displayPattern));
}

/** `on topic "a", hosts "b" and "c"`: what was missing, for the sentence of a denial. */
export function describeValues(scope: Scope): string {
  let sentence = '';
  for (const [field, values] of Object.entries(scope)) {
    if (sentence !== '') sentence += ', ';
    const [first] = values;
    sentence += values.length === 1 && first !== undefined ? `${singular(field)} ${quote(first)}` : describeMany(field, values);
  }
  return sentence;
}

const maxListed = 5;

function describeMany(field: string, values: readonly string[]): string {
  const listed = values.slice(0, maxListed).map(quote);
  const more = values.length > maxListed ? [`${values.length - maxListed} more`] : [];
  return `${field.replaceAll('_', ' ')} ${joinWords([...listed, ...more])}`;
}

/** A pattern as it stands where nobody could mistake it for words of the sentence; otherwise in quotes. */
function displayPattern(pattern: string): string {
  return plainPattern.test(pattern) ? pattern : quote(pattern);
}

function joinWords(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length <= 1 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}

/** Scope fields are named in the plural; one of them is a `host`, a `policy`, an `address`. */
function singular(field: string): string {
  const words = field.replaceAll('_', ' ');
  if (words.endsWith('ies')) return `${words.slice(0, -3)}y`;
  if (words.endsWith('sses') || words.endsWith('xes')) return words.slice(0, -2);
  return words.endsWith('s') && !words.endsWith('ss') ? words.slice(0, -1) : words;
}
