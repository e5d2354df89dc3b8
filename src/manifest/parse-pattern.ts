/** A parsed pattern. */
export type PatternNode =
  | { readonly kind: 'take'; readonly accepts: (code: number) => boolean }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'either'; readonly branches: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly node: PatternNode; readonly min: number; readonly max: number };

/** The longest pattern, in characters. */
export const maxPatternLength = 256;
const maxRepeat = 1_000;

type Accepts = (code: number) => boolean;

const isDigit: Accepts = (code) => code >= 48 && code <= 57;
const isWord: Accepts = (code) => isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
const isSpace: Accepts = (code) => /\s/.test(String.fromCodePoint(code));
const isLineEnd: Accepts = (code) => code === 10 || code === 13 || code === 0x2028 || code === 0x2029;
const not =
  (accepts: Accepts): Accepts =>
  (code) =>
    !accepts(code);
const classes: Readonly<Record<string, Accepts>> = { d: isDigit, D: not(isDigit), w: isWord, W: not(isWord), s: isSpace, S: not(isSpace) };
const controls: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 };

/** Reads a pattern; what is outside the subset comes back as a repair. */
export function parsePattern(source: string): { readonly node: PatternNode } | { readonly repair: string } {
  const characters = [...source];
  if (characters.length > maxPatternLength) return { repair: `must have at most ${maxPatternLength} characters` };
  try {
    return { node: new PatternParser(characters).parse() };
  } catch (thrown) {
    if (thrown instanceof PatternError) return { repair: thrown.message };
    throw thrown;
  }
}

class PatternError extends Error {}

class PatternParser {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(characters: readonly string[]) {
    this.#characters = characters;
  }

  parse(): PatternNode {
    const node = this.#either();
    if (this.#at < this.#characters.length) throw new PatternError('has a ")" without "("');
    return node;
  }

  #either(): PatternNode {
    const branches = [this.#sequence()];
    while (this.#take('|')) branches.push(this.#sequence());
    return branches.length === 1 ? branches[0]! : { kind: 'either', branches };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) parts.push(this.#repeated());
    return { kind: 'sequence', parts };
  }

  #repeated(): PatternNode {
    const node = this.#atom();
    const bounds = this.#bounds();
    if (bounds === undefined) return node;
    if (node.kind === 'start' || node.kind === 'end') throw new PatternError('repeats "^" or "$"; remove the repetition');
    this.#take('?'); // Greedy or not makes no difference to whether it is found.
    if (this.#bounds() !== undefined) throw new PatternError('repeats a repetition; put a group around the inner one');
    return { kind: 'repeat', node, min: bounds[0], max: bounds[1] };
  }

  #bounds(): readonly [min: number, max: number] | undefined {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    if (this.#peek() !== '{') return undefined;
    const match = /^\{(\d{1,5})(,(\d{0,5}))?\}/.exec(this.#characters.slice(this.#at, this.#at + 16).join(''));
    if (match === null) throw new PatternError('has a "{" that is no repetition; write \\{');
    this.#at += match[0].length;
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (min > max) throw new PatternError('has a repetition whose least count is above its greatest');
    if (min > maxRepeat || (max > maxRepeat && max !== Number.POSITIVE_INFINITY)) throw new PatternError(`repeats more than ${maxRepeat} times`);
    return [min, max];
  }

  #atom(): PatternNode {
    const character = this.#next();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'take', accepts: this.#class() };
      case '.':
        return { kind: 'take', accepts: not(isLineEnd) };
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '\\':
        return { kind: 'take', accepts: this.#escape() };
      case '*':
      case '+':
      case '?':
      case '{':
        throw new PatternError(`has a "${character}" with nothing to repeat; write \\${character}`);
      default:
        return { kind: 'take', accepts: equals(codeOf(character)) };
    }
  }

  #group(): PatternNode {
    if (this.#take('?') && !this.#take(':'))
      throw new PatternError('uses look-around, a named group or a flag, which are not supported; use "(" or "(?:"');
    const node = this.#either();
    if (!this.#take(')')) throw new PatternError('has a "(" without ")"');
    return node;
  }

  #escape(): Accepts {
    const character = this.#next();
    return classes[character] ?? equals(this.#escapedCode(character));
  }

  #escapedCode(character: string): number {
    const control = controls[character];
    if (control !== undefined) return control;
    if (character === 'x') return this.#hex(2);
    if (character === 'u') return this.#hex(4);
    if (isWord(codeOf(character))) throw new PatternError(`uses "\\${character}", which is not supported`);
    return codeOf(character);
  }

  #hex(length: number): number {
    const digits = this.#characters.slice(this.#at, this.#at + length).join('');
    if (!/^[0-9a-fA-F]+$/.test(digits) || digits.length !== length) throw new PatternError(`has a \\x or \\u without ${length} hexadecimal digits`);
    this.#at += length;
    return Number.parseInt(digits, 16);
  }

  #class(): Accepts {
    const negated = this.#take('^');
    const members: Accepts[] = [];
    while (!this.#take(']')) {
      const low = this.#member();
      if (typeof low !== 'number' || this.#peek() !== '-' || this.#characters[this.#at + 1] === ']') {
        members.push(typeof low === 'number' ? equals(low) : low);
        continue;
      }
      this.#next();
      const high = this.#member();
      if (typeof high !== 'number' || high < low) throw new PatternError('has a range in [] that does not go from a lower to a higher character');
      members.push((code) => code >= low && code <= high);
    }
    return (code) => members.some((accepts) => accepts(code)) !== negated;
  }

  #member(): number | Accepts {
    const character = this.#next();
    if (character !== '\\') return codeOf(character);
    const escaped = this.#next();
    return classes[escaped] ?? this.#escapedCode(escaped === '-' ? '-' : escaped);
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string {
    const character = this.#characters[this.#at++];
    if (character === undefined) throw new PatternError('ends too early: a "[" or a backslash is not closed');
    return character;
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function equals(wanted: number): Accepts {
  return (code) => code === wanted;
}
