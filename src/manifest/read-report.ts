import { type Path, toPointer } from './pointer.js';
import { makeProblem, type Problem, type ProblemCode } from './problem.js';
import { findLineStarts, positionAt } from './source-tree.js';

/** Thrown inside a reader to give up a document; never leaves this folder. */
export class ReadFailure extends Error {}

/** Collects what a reader finds, by offset. Some findings leave a tree that can be checked further, others end the reading. */
export class ReadReport {
  readonly problems: Problem[] = [];
  readonly #lineStarts: readonly number[];

  constructor(text: string) {
    this.#lineStarts = findLineStarts(text);
  }

  /** Notes a problem and goes on. */
  note(code: ProblemCode, offset: number, message: string, path: Path = []): void {
    if (this.problems.length < maxNoted) this.problems.push(makeProblem(code, toPointer(path), positionAt(this.#lineStarts, offset), message));
  }

  /** Escapes can write what the text itself may not hold: NUL, and halves of surrogate pairs, which no protocol carries. */
  checkText(value: string, offset: number, path: Path): void {
    if (!unspeakable.test(value)) return;
    this.note('FORBIDDEN_CHARACTER', offset, 'The text holds an escaped NUL or half of a surrogate pair; remove the escape.', path);
  }

  /** Notes a problem and ends the reading. @throws {@link ReadFailure} always. */
  fail(code: ProblemCode, offset: number, message: string, path: Path = []): never {
    this.note(code, offset, message, path);
    throw new ReadFailure(message);
  }
}

const maxNoted = 100;
const unspeakable = /\u0000|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
