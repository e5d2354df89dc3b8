import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineReader, type OutputLine } from '../../src/node/line-reader.js';
import { printableText } from '../../src/node/printable-text.js';

function read(chunks: readonly Uint8Array[], maxLineBytes = 8_192): OutputLine[] {
  const lines: OutputLine[] = [];
  const reader = new LineReader({ maxLineBytes, onLine: (line) => lines.push(line) });
  let counted = 0;
  for (const chunk of chunks) counted += reader.push(chunk);
  expect(counted).toBeGreaterThanOrEqual(lines.filter(({ truncated }) => !truncated).length);
  reader.end();
  return lines;
}

const texts = (text: string, maxLineBytes?: number): string[] => read([Buffer.from(text)], maxLineBytes).map((line) => line.text);

describe('line reader', () => {
  it('ends lines at \\n, \\r\\n and \\r', () => {
    expect(texts('a\nb\r\nc\rd\n\ne')).toEqual(['a', 'b', 'c', 'd', '', 'e']);
  });

  it('reports a long line once, cut, and goes on behind it', () => {
    expect(read([Buffer.from(`${'x'.repeat(25)}\nnext\n`)], 10)).toEqual([
      { text: 'x'.repeat(10), truncated: true },
      { text: 'next', truncated: false },
    ]);
  });

  it('takes a line of exactly the limit', () => {
    expect(read([Buffer.from('0123456789\n')], 10)).toEqual([{ text: '0123456789', truncated: false }]);
  });

  it('reports a long line before it ends, and only once at the end of the stream', () => {
    const lines: OutputLine[] = [];
    const reader = new LineReader({ maxLineBytes: 4, onLine: (line) => lines.push(line) });
    for (let index = 0; index < 100; index += 1) reader.push(Buffer.from('abc'));
    expect(lines).toEqual([{ text: 'abca', truncated: true }]);
    reader.end();
    expect(lines).toHaveLength(1);
  });

  it('cuts no character in half', () => {
    for (const [character, bytes] of [
      ['é', 2],
      ['€', 3],
      ['😀', 4],
    ] as const) {
      for (let limit = 8; limit < 8 + bytes; limit += 1) {
        const [line] = read([Buffer.from(character.repeat(20))], limit);
        expect(line).toEqual({ text: character.repeat(Math.floor(limit / bytes)), truncated: true });
      }
    }
  });

  it('keeps the limit for text that grows by its escapes', () => {
    expect(read([Buffer.from('\x1b\x1b\x1b\n')], 10)).toEqual([{ text: '\\x1b\\x1b\\x', truncated: true }]);
  });

  it('gives the same lines however the bytes are cut', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\n', '\r', '\r\n', '\x1b', '\t'), maxLength: 60 });
    fc.assert(
      fc.property(text, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }), fc.integer({ min: 4, max: 20 }), (whole, sizes, limit) => {
        const bytes = Buffer.from(whole);
        const pieces: Uint8Array[] = [];
        for (let at = 0, index = 0; at < bytes.length; index += 1) {
          const size = sizes[index % sizes.length]!;
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(read(pieces, limit)).toEqual(read([bytes], limit));
      }),
    );
  });
});

describe('printable text', () => {
  it('shows what would act on a terminal, hide, reorder or begin a line', () => {
    expect(printableText('a\x1b]0;t\x07\nb\x9b1m\u2028\u202ec\u200b\u0000\x7f')).toBe('a\\x1b]0;t\\x07\\x0ab\\x9b1m\\u2028\\u202ec\\u200b\\x00\\x7f');
  });

  it('leaves text of any language and tabs as they are', () => {
    const text = 'Grüße\t日本語 العربية 😀 \u200d é';
    expect(printableText(text)).toBe(text);
  });

  it('escapes lone surrogates, so that every log can be written as UTF-8', () => {
    expect(printableText('a\ud800b')).toBe('a\\ud800b');
  });
});
