import { describe, expect, test } from 'vitest';
import { jsonReport } from '../../src/cli/json-report.js';
import { toJsonText } from '../../src/cli/json-text.js';
import type { Terminal } from '../../src/cli/terminal.js';

function recordingTerminal(): Terminal & { readonly printed: unknown[] } {
  const printed: unknown[] = [];
  return {
    printed,
    print: async (line) => void printed.push(line),
    printJson: async (value) => void printed.push(JSON.parse(toJsonText(value))),
    note: (line) => void printed.push(line),
  };
}

describe('[cli.run] what --json gathers is bounded', () => {
  test('of the log the newest lines are kept, and the first line says how many are left out', async () => {
    const terminal = recordingTerminal();
    const report = jsonReport(terminal);
    for (let at = 0; at < 25_000; at += 1) report.line({ level: 'info', source: 'log', message: `line ${at}`, fields: {} });
    await report.result(1);
    await report.end();
    const [{ logs }] = terminal.printed as [{ logs: { source: string; message: string }[] }];
    expect(logs).toHaveLength(10_001);
    expect(logs[0]).toMatchObject({ source: 'host', message: '15000 older lines are left out.' });
    expect([logs[1]?.message, logs.at(-1)?.message]).toEqual(['line 15000', 'line 24999']);
  });

  test('also by size: a line that is too long by itself is left out', async () => {
    const terminal = recordingTerminal();
    const report = jsonReport(terminal);
    const fields = { text: 'x'.repeat(3 * 1024 * 1024) };
    for (let at = 0; at < 4; at += 1) report.line({ level: 'info', source: 'log', message: `large ${at}`, fields });
    report.line({ level: 'info', source: 'log', message: 'too large', fields: { text: 'x'.repeat(9 * 1024 * 1024) } });
    report.line({ level: 'info', source: 'log', message: 'last', fields: {} });
    await report.end();
    const [{ logs }] = terminal.printed as [{ logs: { message: string }[] }];
    expect(logs.map(({ message }) => message)).toEqual(['5 older lines are left out.', 'last']);
  });

  test('a stream that is too long is given up', async () => {
    const report = jsonReport(recordingTerminal());
    report.streaming();
    const item = 'x'.repeat(16 * 1024 * 1024);
    for (let at = 0; at < 3; at += 1) await report.item(item);
    await expect(report.item(item)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  });
});

describe('JSON text', () => {
  test('holds no character that a terminal acts on, and reads back as the same text', () => {
    const text = `${Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join('')}\ufeff\ufff9`;
    const json = toJsonText({ [text]: text });
    expect(json).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/);
    expect(JSON.parse(json)).toEqual({ [text]: text });
  });

  test('shows what JSON lacks, at any depth, and calls nothing that a value brings along', () => {
    expect(
      toJsonText([
        -(2n ** 63n),
        new Uint8Array([255]),
        Buffer.from('a'),
        new Date(Number.NaN),
        { toJSON: 'data' },
        Number.POSITIVE_INFINITY,
        undefined,
      ]),
    ).toBe('["-9223372036854775808","/w==","YQ==",null,{"toJSON":"data"},null,null]');
    expect(toJsonText(undefined)).toBe('null');
  });
});
