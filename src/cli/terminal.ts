import { printableText } from '../node/printable-text.js';
import { toJsonText } from './json-text.js';

/**
 * Where the commands write: results to standard output, everything else to standard error. Whatever a plugin, a manifest or a file name puts into
 * a line, it stays one line and commands no terminal.
 */
export interface Terminal {
  /** A line of text on standard output. Resolves when it is taken, so that a slow reader slows the writer. */
  print(line: string): Promise<void>;
  /** A value as a line of JSON on standard output; as `print`. */
  printJson(value: unknown): Promise<void>;
  /** A line on standard error. */
  note(line: string): void;
}

/** Options of {@link processTerminal}. */
export interface TerminalOptions {
  /** Nobody reads standard output any more, as in `… | head -1`. Called once. */
  onReaderGone(): void;
}

/** The terminal, files or pipes of this process. Writes that fail are dropped: there is nobody to tell. */
export function processTerminal({ onReaderGone }: TerminalOptions): Terminal {
  let gone = false;
  process.stdout.on('error', () => {
    if (gone) return;
    gone = true;
    onReaderGone();
  });
  process.stderr.on('error', () => {});
  const write = (text: string): Promise<void> =>
    gone ? Promise.resolve() : new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
  return {
    print: (line) => write(printableText(line)),
    printJson: (value) => write(toJsonText(value)),
    note: (line) => void process.stderr.write(`${printableText(line)}\n`),
  };
}
