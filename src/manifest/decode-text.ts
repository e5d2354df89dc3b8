import { makeProblem, type Problem } from './problem.js';
import { findLineStarts, positionAt } from './source-tree.js';

/** The largest manifest that is read: 64 KiB. Nothing larger reaches a parser. */
export const maxManifestBytes = 65_536;

// Everything that YAML calls unprintable and that no editor writes. Lone surrogates only occur in text that came as a string.
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** The text of a manifest, or why it cannot be text. A byte order mark at its beginning is dropped. */
export function decodeText(input: string | Uint8Array): { readonly text: string } | { readonly problem: Problem } {
  const start = { line: 1, column: 1 };
  const bytes = typeof input === 'string' ? utf8Length(input) : input.byteLength;
  if (bytes > maxManifestBytes) {
    return {
      problem: makeProblem(
        'TOO_LARGE',
        '',
        start,
        `The document must have at most ${maxManifestBytes} bytes; move long texts into files of their own.`,
      ),
    };
  }
  let text: string;
  try {
    text = typeof input === 'string' ? input : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input);
  } catch {
    return { problem: makeProblem('NOT_UTF8', '', start, 'The document must be UTF-8; save it with that encoding.') };
  }
  if (text.startsWith('\ufeff')) text = text.slice(1);
  const found = forbidden.exec(text);
  if (found === null) return { text };
  const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const message = `The text holds the character U+${code}, which must not stand here; remove it.`;
  return { problem: makeProblem('FORBIDDEN_CHARACTER', '', positionAt(findLineStarts(text), found.index), message) };
}

// Enough to compare with the limit: a string longer than the limit is never encoded.
function utf8Length(text: string): number {
  return text.length > maxManifestBytes ? text.length : new TextEncoder().encode(text).byteLength;
}
