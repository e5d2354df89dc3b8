import { type PatternNode, parsePattern } from './parse-pattern.js';

const maxInstructions = 2_000;
/** The longest text that a pattern is tried on, in UTF-16 units. */
export const maxPatternInput = 4_096;

type Instruction =
  | { readonly op: 'take'; readonly accepts: (code: number) => boolean }
  | { readonly op: 'split'; readonly left: number; readonly right: number }
  | { readonly op: 'start' | 'end' | 'match' };

/** A regular expression that is matched in time proportional to the text, whatever was written. */
export interface LinearPattern {
  /** As the manifest has it, for messages. */
  readonly source: string;
  /** Whether the expression is found anywhere in `text`. Of more than 4,096 UTF-16 units the answer is false. */
  test(text: string): boolean;
}

/**
 * Compiles a pattern of a manifest. JavaScript's own engine would need exponential time on patterns that a hostile author
 * can write, so this one runs all alternatives side by side. It takes a subset (docs/manifest.md): no look-around, no
 * back references, no word boundaries, no Unicode properties; repetitions may unfold to at most 2,000 steps.
 */
export function compilePattern(source: string): LinearPattern | { readonly repair: string } {
  const parsed = parsePattern(source);
  if ('repair' in parsed) return parsed;
  const program: Instruction[] = [];
  if (!emit(parsed.node, program)) return { repair: 'repeats too much; use smaller counts' };
  program.push({ op: 'match' });
  return Object.freeze({ source, test: (text: string) => text.length <= maxPatternInput && run(program, text) });
}

/** Appends the instructions of a node; false when the program became too long. */
function emit(node: PatternNode, program: Instruction[]): boolean {
  if (program.length > maxInstructions) return false;
  switch (node.kind) {
    case 'take':
      program.push({ op: 'take', accepts: node.accepts });
      return true;
    case 'start':
    case 'end':
      program.push({ op: node.kind });
      return true;
    case 'sequence':
      return node.parts.every((part) => emit(part, program));
    case 'either':
      return emitEither(node.branches, program);
    case 'repeat':
      return emitRepeat(node, program);
  }
}

function emitEither(branches: readonly PatternNode[], program: Instruction[]): boolean {
  const jumps: number[] = [];
  for (const [index, branch] of branches.entries()) {
    const split = program.length;
    const last = index === branches.length - 1;
    if (!last) program.push({ op: 'match' });
    if (!emit(branch, program)) return false;
    if (last) continue;
    jumps.push(program.length);
    program.push({ op: 'match' });
    program[split] = { op: 'split', left: split + 1, right: program.length };
  }
  for (const jump of jumps) program[jump] = { op: 'split', left: program.length, right: program.length };
  return true;
}

function emitRepeat({ node, min, max }: { readonly node: PatternNode; readonly min: number; readonly max: number }, program: Instruction[]): boolean {
  for (let count = 0; count < min; count++) if (!emit(node, program)) return false;
  if (max === Number.POSITIVE_INFINITY) {
    const split = program.length;
    program.push({ op: 'match' });
    if (!emit(node, program)) return false;
    program.push({ op: 'split', left: split, right: split });
    program[split] = { op: 'split', left: split + 1, right: program.length };
    return true;
  }
  const splits: number[] = [];
  for (let count = min; count < max; count++) {
    splits.push(program.length);
    program.push({ op: 'match' });
    if (!emit(node, program)) return false;
  }
  for (const split of splits) program[split] = { op: 'split', left: split + 1, right: program.length };
  return program.length <= maxInstructions;
}

/** All places of the program at once, so that each character is looked at once per instruction. */
function run(program: readonly Instruction[], text: string): boolean {
  const seen = new Int32Array(program.length).fill(-1);
  let waiting: number[] = [];
  for (let at = 0, step = 0; at <= text.length; step++) {
    const code = text.codePointAt(at);
    const reached = [...waiting, 0];
    const takers: number[] = [];
    while (reached.length > 0) {
      const index = reached.pop() ?? 0;
      if (seen[index] === step) continue;
      seen[index] = step;
      const instruction = program[index];
      if (instruction === undefined) continue;
      if (instruction.op === 'match') return true;
      if (instruction.op === 'split') reached.push(instruction.right, instruction.left);
      else if (instruction.op === 'take') takers.push(index);
      else if (instruction.op === 'start' ? at === 0 : at === text.length) reached.push(index + 1);
    }
    if (code === undefined) return false;
    waiting = takers.filter((index) => {
      const instruction = program[index];
      return instruction?.op === 'take' && instruction.accepts(code);
    });
    waiting = waiting.map((index) => index + 1);
    at += code > 0xffff ? 2 : 1;
  }
  return false;
}
