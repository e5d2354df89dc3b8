import { type Alias, Composer, CST, type Document, isAlias, isMap, isScalar, isSeq, Lexer, type Node, Parser } from 'yaml';
import type { Path } from './pointer.js';
import { quote } from './quote.js';
import { maxAliases, maxDepth, maxValues } from './read-limits.js';
import { ReadFailure, type ReadReport } from './read-report.js';
import { type SourceEntry, type SourceNode, SourceTree } from './source-tree.js';

const maxSyntaxErrors = 10;

/**
 * Reads one YAML 1.2 document. No document makes it recurse deeper than `maxDepth`: the package's own lexer feeds its
 * parser, which keeps its nesting on an explicit stack, and the height of that stack is watched after every token. Only
 * what passed is composed, which recurses. Deeper recursion could abort the process, because V8 does not survive the
 * compilation of a regular expression at the end of its stack.
 *
 * @throws {@link ReadFailure} when the text is unreadable; `report` then says why.
 */
export function readYaml(text: string, report: ReadReport): SourceTree {
  const tokens = tokenize(text, report);
  let document: Document | undefined;
  try {
    const composer = new Composer({
      version: '1.2',
      schema: 'core',
      merge: false,
      uniqueKeys: false,
      prettyErrors: false,
      strict: true,
      logLevel: 'silent',
    });
    for (const composed of composer.compose(tokens, false, text.length)) document ??= composed;
  } catch {
    return report.fail('INVALID_YAML', 0, 'The text cannot be read as YAML; check it with a YAML editor.');
  }
  const errors = document?.errors ?? [];
  for (const error of errors.slice(0, maxSyntaxErrors))
    report.note('INVALID_YAML', Math.max(0, error.pos[0]), `The text is not YAML: ${sentence(error.message)}`);
  if (errors.length > 0) throw new ReadFailure('INVALID_YAML');
  if (document === undefined || document.contents === null)
    return report.fail('EMPTY_DOCUMENT', 0, 'The document is empty; it must be a map of fields.');
  return new SourceTree(text, new TreeBuilder(document, report).build(document.contents as Node, [], [], 1));
}

/** Runs lexer and parser over the text and refuses, at the token, what this reader does not take. */
function tokenize(text: string, report: ReadReport): CST.Token[] {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  const count = { anchor: 0, alias: 0 };
  let document: CST.Token | undefined;
  let scalarFollows = false;
  for (const lexeme of new Lexer().lex(text)) {
    const offset = parser.offset;
    for (const token of parser.next(lexeme)) tokens.push(token);
    // The stack holds the document, its collections, and possibly the scalar that is being read.
    if (parser.stack.length > maxDepth + 2) report.fail('TOO_DEEP', offset, `Maps and lists must not be nested more than ${maxDepth} deep.`);
    const bottom = parser.stack[0];
    if (bottom?.type === 'document' && bottom !== document) {
      if (document !== undefined) report.fail('MULTIPLE_DOCUMENTS', offset, 'Only one document is read; remove everything from the second "---" on.');
      document = bottom;
    }
    // The text of a plain or block scalar comes after a token of its own, and may look like any other.
    const type: string | null = scalarFollows ? null : CST.tokenType(lexeme);
    scalarFollows = type === 'scalar';
    switch (type) {
      case 'tag':
        report.fail(
          'UNSUPPORTED_TAG',
          offset,
          'YAML tags are not supported; remove the tag, and put quotes around a text that looks like something else.',
        );
        break;
      case 'directive-line':
        report.fail('UNSUPPORTED_DIRECTIVE', offset, 'YAML directives are not supported; remove the line. The document is YAML 1.2.');
        break;
      case 'anchor':
      case 'alias':
        if (++count[type] > maxAliases)
          report.fail('TOO_MANY_ALIASES', offset, `At most ${maxAliases} anchors and aliases are read; write the values out.`);
        break;
    }
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}

/** Turns the package's nodes into a source tree, within the limits. */
class TreeBuilder {
  #values = 0;
  /** The outermost alias that is being expanded. */
  #alias: { readonly offset: number; readonly path: Path } | undefined;
  readonly #document: Document;
  readonly #report: ReadReport;

  constructor(document: Document, report: ReadReport) {
    this.#document = document;
    this.#report = report;
  }

  /** `expanding`: the collections that we are inside of; an alias of one of them would never end. */
  build(node: Node, path: Path, expanding: readonly Node[], depth: number): SourceNode {
    const offset = node.range?.[0] ?? 0;
    if (++this.#values > maxValues) this.#tooMany(this.#alias ?? { offset, path });
    if (isScalar(node)) return this.#scalar(node.value, node.source, offset, path);
    if (isAlias(node)) return this.#expand(node, offset, path, expanding, depth);
    if (depth > maxDepth) this.#report.fail('TOO_DEEP', offset, `Maps and lists must not be nested more than ${maxDepth} deep.`, path);
    const inside = [...expanding, node];
    if (isSeq(node)) {
      const items = node.items.map((item, index) => this.build(item as Node, [...path, index], inside, depth + 1));
      return { kind: 'list', offset, items };
    }
    if (!isMap(node)) return this.#report.fail('INVALID_YAML', offset, 'The text cannot be read as YAML; check it with a YAML editor.', path);
    const entries = new Map<string, SourceEntry>();
    for (const pair of node.items) {
      const keyNode = pair.key as Node;
      const keyOffset = keyNode.range?.[0] ?? offset;
      const key = this.#key(keyNode, keyOffset, path);
      if (key === undefined) continue;
      if (entries.has(key)) {
        this.#report.note('DUPLICATE_KEY', keyOffset, `The key ${quote(key)} stands twice in this map; remove one.`, [...path, key]);
        continue;
      }
      const child: SourceNode =
        pair.value === null || pair.value === undefined
          ? { kind: 'scalar', offset: keyOffset, value: null, source: '' }
          : this.build(pair.value as Node, [...path, key], inside, depth + 1);
      entries.set(key, { keyOffset, node: child });
    }
    return { kind: 'map', offset, entries };
  }

  /** The key as text; undefined, with a problem noted, when the entry has to be left out. */
  #key(node: Node, offset: number, path: Path): string | undefined {
    if (!isScalar(node) || node.value === null || typeof node.value === 'boolean') {
      this.#report.note('INVALID_KEY', offset, 'A key of a map must be text; put quotes around it.', path);
      return undefined;
    }
    const key = typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
    if (key === '__proto__') this.#report.note('FORBIDDEN_KEY', offset, 'The key "__proto__" is not allowed; give it another name.', path);
    else if (key === '<<' && node.type === 'PLAIN')
      this.#report.note('MERGE_KEY', offset, 'The merge key "<<" is not part of YAML 1.2; write the fields out.', path);
    else {
      this.#report.checkText(key, offset, path);
      return key;
    }
    return undefined;
  }

  #scalar(value: unknown, source: string | undefined, offset: number, path: Path): SourceNode {
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      if (typeof value === 'string') this.#report.checkText(value, offset, path);
      return { kind: 'scalar', offset, value, source: source ?? String(value ?? '') };
    }
    return this.#report.fail('INVALID_YAML', offset, 'The text cannot be read as YAML; check it with a YAML editor.', path);
  }

  #expand(alias: Alias, offset: number, path: Path, expanding: readonly Node[], depth: number): SourceNode {
    const outermost = this.#alias === undefined;
    this.#alias ??= { offset, path };
    const tree = this.build(this.#target(alias, offset, path, expanding), path, expanding, depth);
    if (outermost) this.#alias = undefined;
    return tree;
  }

  #tooMany({ offset, path }: { readonly offset: number; readonly path: Path }): never {
    return this.#report.fail(
      'TOO_MANY_VALUES',
      offset,
      `The document has more than ${maxValues} values; aliases count with all that they stand for.`,
      path,
    );
  }

  #target(alias: Alias, offset: number, path: Path, expanding: readonly Node[]): Node {
    const target = alias.resolve(this.#document);
    if (target === undefined)
      return this.#report.fail('INVALID_ALIAS', offset, `No anchor ${quote(alias.source)} stands before this alias; write the value out.`, path);
    if (expanding.includes(target))
      return this.#report.fail(
        'INVALID_ALIAS',
        offset,
        `The anchor ${quote(alias.source)} contains this alias, so that it would never end; write the value out.`,
        path,
      );
    return target;
  }
}

// The package's sentences have no full stop, and some quote the text.
function sentence(message: string): string {
  const line = message.split('\n', 1)[0] ?? '';
  return `${quote(line).slice(1, -1).replaceAll('\\"', '"')}.`;
}
