import { nearest } from '../errors/nearest.js';
import { hostFieldNames, type ManifestFile, manifestSchema } from './manifest-schema.js';
import type { Path } from './pointer.js';
import type { ProblemCode } from './problem.js';
import type { ProblemList } from './problem-list.js';
import { alternatives, quote } from './quote.js';
import { flattenIssues, knownFieldsAt, type ShapeIssue } from './shape-issue.js';
import { plainValue, type SourceScalar, type SourceTree } from './source-tree.js';

/** Keywords of JSON Schema that restrict values: ignoring one would promise a check that nobody makes. */
const unenforcedKeywords = new Set([
  ...[
    '$ref',
    '$dynamicRef',
    'allOf',
    'anyOf',
    'oneOf',
    'not',
    'if',
    'then',
    'else',
    'const',
    'multipleOf',
    'exclusiveMinimum',
    'exclusiveMaximum',
    'uniqueItems',
  ],
  ...['contains', 'prefixItems', 'patternProperties', 'propertyNames', 'minProperties', 'maxProperties', 'dependentRequired', 'dependentSchemas'],
]);

/** A part of the file after the structure was checked: whatever was wrong in it is missing. */
export type Checked<T> = T extends readonly (infer Item)[]
  ? readonly (Checked<Item> | undefined)[]
  : T extends object
    ? { readonly [Key in keyof T]?: Checked<T[Key]> }
    : T;

/**
 * Checks the structure against the schema. Everything that is wrong is noted and taken out, so that the checks that
 * follow can rely on what is left, and one wrong field hides no problem of another.
 */
export function checkShape(tree: SourceTree, problems: ProblemList): Checked<ManifestFile> {
  const file = plainValue(tree.root) as Record<string, unknown>;
  takeWrittenText(tree, file, problems);
  for (const issue of issuesOf(file)) {
    noteIssue(issue, tree, problems);
    if (issue.code !== 'unrecognized_keys') takeOut(file, issue.path);
  }
  return file as Checked<ManifestFile>;
}

function issuesOf(file: unknown): readonly ShapeIssue[] {
  const result = manifestSchema.safeParse(file);
  return result.success ? [] : flattenIssues(result.error.issues, file);
}

/** `version: 1.0` means the text 1.0: takes what was written where the schema wants text. */
function takeWrittenText(tree: SourceTree, file: Record<string, unknown>, problems: ProblemList): void {
  for (const issue of issuesOf(file)) {
    if (issue.code !== 'invalid_type' || !issue.expected.includes('string')) continue;
    const node = tree.nodeAt(issue.path);
    if (node?.kind !== 'scalar' || typeof node.value === 'string' || node.value === null) continue;
    put(file, issue.path, node.source);
    problems.add('UNQUOTED_TEXT', issue.path, unquotedMessage(issue.path, node));
  }
}

function unquotedMessage(path: Path, node: SourceScalar): string {
  return `${subject(path)} is text: write ${quote(node.source)} in quotes; other readers see a ${typeof node.value} here.`;
}

function noteIssue(issue: ShapeIssue, tree: SourceTree, problems: ProblemList): void {
  const { path } = issue;
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys) noteUnknownField([...path, key], issue.path, problems);
      return;
    case 'invalid_type':
      if (tree.nodeAt(path) === undefined || isEmptyValue(tree, path)) problems.add('MISSING_FIELD', path, `${subject(path)} is required; add it.`);
      else
        problems.add(
          'WRONG_TYPE',
          path,
          `${subject(path)} must be ${alternatives([...new Set(issue.expected.map(article))])}${insteadOf(issue.expected, tree, path)}.`,
        );
      return;
    case 'invalid_value':
      problems.add('UNKNOWN_VALUE', path, unknownValueMessage(subject(path), tree.nodeAt(path), issue.values));
      return;
    default: {
      const [code, limit] = limitOf(issue);
      problems.add(code, path, `${subject(path)} must ${limit}.`);
    }
  }
}

function noteUnknownField(path: Path, parent: Path, problems: ProblemList): void {
  const key = String(path.at(-1));
  if (parent.length === 0 && /^x[-_]/.test(key)) return;
  if (parent[0] === 'config_schema' && unenforcedKeywords.has(key)) {
    problems.addAtKey(
      'UNSUPPORTED_CONFIG_RULE',
      path,
      `The JSON Schema keyword ${key} would not be enforced; say it with type, enum, pattern, bounds, items or properties.`,
    );
    return;
  }
  const suggestion = problems.hasRoom('UNKNOWN_FIELD') ? nearest(key, knownFieldsAt(parent)) : undefined;
  const rest = suggestion === undefined ? 'it has no effect; remove it' : `did you mean ${suggestion}? It has no effect`;
  problems.addAtKey('UNKNOWN_FIELD', path, `There is no field ${quote(key)}${parent.length === 0 ? '' : ` in ${subject(parent)}`}; ${rest}.`);
}

function unknownValueMessage(name: string, node: ReturnType<SourceTree['nodeAt']>, values: readonly string[]): string {
  const written = node?.kind === 'scalar' ? node.source : '';
  const suggestion = nearest(written, values);
  return `${name} must be ${alternatives(values)}${suggestion === undefined ? '.' : `; did you mean ${suggestion}?`}`;
}

function limitOf(issue: ShapeIssue & { readonly code: 'too_big' | 'too_small' | 'invalid_key' }): [ProblemCode, string] {
  if (issue.code === 'invalid_key') return ['TOO_LONG', 'have keys of at most 128 characters'];
  const word = issue.code === 'too_big' ? 'at most' : 'at least';
  if (issue.origin === 'string') return ['TOO_LONG', `have ${word} ${issue.bound} characters`];
  if (issue.origin === 'array') return ['TOO_LONG', `have ${word} ${issue.bound} items`];
  return ['OUT_OF_RANGE', `be ${word} ${issue.bound}`];
}

/** The field as it is called in messages: `requires.plugins[0].id`. */
export function subject(path: Path): string {
  if (path.length === 0) return 'the manifest';
  const name = path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${part}`)).join('');
  return /^[\w.[\]/-]{1,80}$/.test(name) ? name : quote(name);
}

function article(type: string): string {
  const words: Record<string, string> = {
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a map',
    record: 'a map',
  };
  return words[type] ?? type;
}

/** `, not text`; nothing where it would only say that a number is not a whole number. */
function insteadOf(expected: readonly string[], tree: SourceTree, path: Path): string {
  const kind = kindOf(tree, path);
  return kind === 'a number' && expected.includes('int') ? '' : `, not ${kind}`;
}

function kindOf(tree: SourceTree, path: Path): string {
  const node = tree.nodeAt(path);
  if (node === undefined || node.kind !== 'scalar') return node?.kind === 'list' ? 'a list' : 'a map';
  return { string: 'text', number: 'a number', boolean: 'true or false' }[typeof node.value as string] ?? 'empty';
}

function isEmptyValue(tree: SourceTree, path: Path): boolean {
  const node = tree.nodeAt(path);
  return node?.kind === 'scalar' && node.value === null && typeof path.at(-1) === 'string';
}

function put(root: Record<string, unknown>, path: Path, value: unknown): void {
  let parent: unknown = root;
  for (const segment of path.slice(0, -1)) parent = (parent as Record<string | number, unknown> | undefined)?.[segment];
  const last = path.at(-1);
  if (typeof parent === 'object' && parent !== null && last !== undefined) (parent as Record<string | number, unknown>)[last] = value;
}

function takeOut(root: Record<string, unknown>, path: Path): void {
  put(root, path, undefined);
}

/** The fields of a file that are kept as they stand. */
export function hostFieldsOf(file: Checked<ManifestFile>): Readonly<Record<string, unknown>> {
  const kept: Record<string, unknown> = {};
  for (const name of hostFieldNames) if (file[name] !== undefined) kept[name] = file[name];
  return kept;
}
