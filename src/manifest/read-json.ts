import type { Path } from './pointer.js';
import { quote } from './quote.js';
import { maxDepth, maxValues } from './read-limits.js';
import type { ReadReport } from './read-report.js';
import { type SourceEntry, type SourceNode, SourceTree } from './source-tree.js';

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const literals = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

/**
 * Reads one JSON document (RFC 8259), with positions, which JSON.parse does not give, and with the limits of a manifest.
 *
 * @throws {@link ReadFailure} when the text is unreadable; `report` then says why.
 */
export function readJson(text: string, report: ReadReport): SourceTree {
  return new SourceTree(text, new JsonReader(text, report).document());
}

class JsonReader {
  readonly #text: string;
  readonly #report: ReadReport;
  #at = 0;
  #values = 0;

  constructor(text: string, report: ReadReport) {
    this.#text = text;
    this.#report = report;
  }

  document(): SourceNode {
    this.#space();
    if (this.#at === this.#text.length) this.#report.fail('EMPTY_DOCUMENT', this.#at, 'The document is empty; it must be a map of fields.', []);
    const root = this.#value([], 1);
    if (this.#at < this.#text.length) this.#report.fail('INVALID_JSON', this.#at, 'The document ends here; remove what follows.', []);
    return root;
  }

  #value(path: Path, depth: number): SourceNode {
    const offset = this.#at;
    if (++this.#values > maxValues) this.#report.fail('TOO_MANY_VALUES', this.#at, `The document has more than ${maxValues} values.`, path);
    const first = this.#text[offset];
    if (first === '{' || first === '[') {
      if (depth > maxDepth) this.#report.fail('TOO_DEEP', this.#at, `Objects and arrays must not be nested more than ${maxDepth} deep.`, path);
      return first === '{' ? this.#object(path, depth) : this.#array(path, depth);
    }
    if (first === '"') {
      const value = this.#string(path);
      return { kind: 'scalar', offset, value, source: value };
    }
    for (const [word, value] of literals) {
      if (this.#text.startsWith(word, offset)) return this.#scalar(offset, value, word);
    }
    numberPattern.lastIndex = offset;
    const number = numberPattern.exec(this.#text)?.[0];
    if (number === undefined)
      return this.#report.fail(
        'INVALID_JSON',
        this.#at,
        'A JSON value belongs here: an object, array, text in double quotes, number, true, false or null.',
        path,
      );
    return this.#scalar(offset, Number(number), number);
  }

  #scalar(offset: number, value: number | boolean | null, source: string): SourceNode {
    this.#at += source.length;
    this.#space();
    return { kind: 'scalar', offset, value, source };
  }

  #array(path: Path, depth: number): SourceNode {
    const offset = this.#at;
    const items: SourceNode[] = [];
    this.#step();
    while (!this.#take(']')) {
      if (items.length > 0) this.#expect(',', path, 'A comma or "]" belongs here.');
      items.push(this.#value([...path, items.length], depth + 1));
    }
    return { kind: 'list', offset, items };
  }

  #object(path: Path, depth: number): SourceNode {
    const offset = this.#at;
    const entries = new Map<string, SourceEntry>();
    let first = true;
    this.#step();
    while (!this.#take('}')) {
      if (!first) this.#expect(',', path, 'A comma or "}" belongs here.');
      const keyOffset = this.#at;
      if (this.#text[keyOffset] !== '"') this.#report.fail('INVALID_JSON', this.#at, 'A key in double quotes belongs here.', path);
      const key = this.#string(path);
      this.#expect(':', path, 'A colon belongs here.');
      const node = this.#value([...path, key], depth + 1);
      first = false;
      if (key === '__proto__') this.#report.note('FORBIDDEN_KEY', keyOffset, 'The key "__proto__" is not allowed; give it another name.', path);
      else if (entries.has(key))
        this.#report.note('DUPLICATE_KEY', keyOffset, `The key ${quote(key)} stands twice in this object; remove one.`, [...path, key]);
      else entries.set(key, { keyOffset, node });
    }
    return { kind: 'map', offset, entries };
  }

  #string(path: Path): string {
    const start = this.#at;
    let end = start + 1;
    while (end < this.#text.length && this.#text[end] !== '"' && this.#text[end] !== '\n') end += this.#text[end] === '\\' ? 2 : 1;
    if (this.#text[end] !== '"') return this.#report.fail('INVALID_JSON', start, 'The text that begins here has no closing quote.', path);
    this.#at = end + 1;
    this.#space();
    try {
      const value = JSON.parse(this.#text.slice(start, end + 1)) as string;
      this.#report.checkText(value, start, path);
      return value;
    } catch {
      return this.#report.fail('INVALID_JSON', start, 'The text that begins here has a wrong escape or a control character in it.', path);
    }
  }

  #expect(character: string, path: Path, message: string): void {
    if (!this.#take(character)) this.#report.fail('INVALID_JSON', this.#at, message, path);
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#step();
    return true;
  }

  #step(): void {
    this.#at++;
    this.#space();
  }

  #space(): void {
    while (this.#at < this.#text.length && ' \t\r\n'.includes(this.#text[this.#at] ?? '')) this.#at++;
  }
}
