import { type Path, toPointer } from './pointer.js';
import { makeProblem, type Problem, type ProblemCode, problemCodes } from './problem.js';
import type { SourceTree } from './source-tree.js';

/** At most this many problems of one severity are listed. */
export const maxProblems = 100;

/** Gathers the problems of one document; every check writes into it, so that all are found at once. */
export class ProblemList {
  readonly #tree: SourceTree;
  readonly #bySeverity: Record<'error' | 'warning', Problem[]> = { error: [], warning: [] };
  readonly #dropped = { error: 0, warning: 0 };

  /** `found`: what reading the text has already noted. */
  constructor(tree: SourceTree, found: readonly Problem[] = []) {
    this.#tree = tree;
    for (const problem of found) this.#push(problem);
  }

  /** A problem with the value at `path`, or with the absence of one. */
  add(code: ProblemCode, path: Path, message: string): void {
    this.#push(makeProblem(code, toPointer(path), this.#tree.valuePosition(path), message));
  }

  /** A problem with the key at the end of `path`. */
  addAtKey(code: ProblemCode, path: Path, message: string): void {
    this.#push(makeProblem(code, toPointer(path), this.#tree.keyPosition(path), message));
  }

  /** Whether one more problem of this code's severity would be listed; a suggestion for it is worth the work only then. */
  hasRoom(code: ProblemCode): boolean {
    return this.#bySeverity[problemCodes[code].severity].length < maxProblems;
  }

  /** Whether an error was found, listed or not. */
  get hasErrors(): boolean {
    return this.#bySeverity.error.length > 0;
  }

  /** All of them in the order of the document, with a last word where the list was cut. */
  toArray(): readonly Problem[] {
    const all = [...this.#bySeverity.error, ...this.#bySeverity.warning].sort((a, b) => a.line - b.line || a.column - b.column);
    for (const severity of ['error', 'warning'] as const) {
      const dropped = this.#dropped[severity];
      if (dropped === 0) continue;
      all.push(makeProblem('TOO_MANY_PROBLEMS', '', { line: 1, column: 1 }, `${dropped} more ${severity}s are not listed; repair these first.`));
    }
    return all;
  }

  #push(problem: Problem): void {
    const list = this.#bySeverity[problem.severity];
    if (list.length < maxProblems) list.push(problem);
    else this.#dropped[problem.severity]++;
  }
}
