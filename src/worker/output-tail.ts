/** Keeps the last lines that a worker printed, bounded in characters. */
export class OutputTail {
  readonly #maxLength: number;
  readonly #lines: string[] = [];
  #length = 0;

  /** @param maxLength characters kept, 8,192 by default. */
  constructor(maxLength = 8_192) {
    this.#maxLength = maxLength;
  }

  add(line: string): void {
    const kept = line.length > this.#maxLength ? line.slice(-this.#maxLength) : line;
    this.#lines.push(kept);
    this.#length += kept.length + 1;
    while (this.#length > this.#maxLength && this.#lines.length > 1) this.#length -= (this.#lines.shift() as string).length + 1;
  }

  toString(): string {
    return this.#lines.join('\n');
  }
}
