import { printableText } from './printable-text.js';

/** A line without its end. `truncated`: it was longer than the limit and the rest was dropped. */
export interface OutputLine {
  readonly text: string;
  readonly truncated: boolean;
}

/** Options of {@link LineReader}. */
export interface LineReaderOptions {
  /** Longest line, in bytes before and in characters after escaping. */
  readonly maxLineBytes: number;
  onLine(line: OutputLine): void;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Cuts what a worker prints into lines, in bounded memory whatever it prints: a longer line is reported once, cut, and skipped until its
 * end. Ends are `\n`, `\r\n` and `\r` (progress bars). Bytes that are not UTF-8 become U+FFFD, control characters visible escapes.
 */
export class LineReader {
  readonly #maxLineBytes: number;
  readonly #onLine: (line: OutputLine) => void;
  /** The line that has begun; grows with what has arrived. */
  #line = Buffer.alloc(0);
  #length = 0;
  #skipping = false;
  #afterCarriageReturn = false;

  constructor(options: LineReaderOptions) {
    this.#maxLineBytes = options.maxLineBytes;
    this.#onLine = options.onLine;
  }

  /** Takes bytes, cut anywhere. @returns how many lines they ended. */
  push(chunk: Uint8Array): number {
    let lines = 0;
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte !== lineFeed && byte !== carriageReturn) {
        this.#afterCarriageReturn = false;
        continue;
      }
      const belongsToLast = byte === lineFeed && this.#afterCarriageReturn;
      this.#afterCarriageReturn = byte === carriageReturn;
      if (!belongsToLast) {
        this.#append(chunk.subarray(from, at));
        this.#endLine();
        lines += 1;
      }
      from = at + 1;
    }
    this.#append(chunk.subarray(from));
    return lines;
  }

  /** Nothing more comes: reports a last line that has no end. */
  end(): void {
    if (this.#length > 0) this.#endLine();
  }

  #append(bytes: Uint8Array): void {
    if (this.#skipping || bytes.length === 0) return;
    const room = this.#maxLineBytes - this.#length;
    const taken = bytes.subarray(0, room);
    this.#reserve(this.#length + taken.length);
    this.#line.set(taken, this.#length);
    this.#length += taken.length;
    if (bytes.length > room) {
      this.#report(this.#line.subarray(0, endOfWholeCharacters(this.#line, this.#length)), true);
      this.#skipping = true;
    }
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#line.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#maxLineBytes, Math.max(256, bytes, this.#line.length * 2)));
    larger.set(this.#line.subarray(0, this.#length));
    this.#line = larger;
  }

  #endLine(): void {
    if (!this.#skipping) this.#report(this.#line.subarray(0, this.#length), false);
    this.#skipping = false;
    this.#length = 0;
  }

  #report(bytes: Buffer, truncated: boolean): void {
    this.#length = 0;
    const text = printableText(bytes.toString('utf8'));
    // Escapes are longer than what they stand for; the limit holds for what reaches the log.
    if (text.length <= this.#maxLineBytes) this.#onLine({ text, truncated });
    else this.#onLine({ text: text.slice(0, this.#maxLineBytes), truncated: true });
  }
}

/** The length without a character at the end that the cut has split. */
function endOfWholeCharacters(bytes: Uint8Array, length: number): number {
  for (let back = 1; back <= Math.min(3, length); back += 1) {
    const byte = bytes[length - back]!;
    if (byte >= 0xc0) {
      const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needs > back ? length - back : length;
    }
    if (byte < 0x80) break;
  }
  return length;
}
