import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { requireTool } from '../helpers/require-tool.js';
import { runProgram } from './run-program.js';

const demo = ['--import', 'tsx', 'examples/demo/main.ts'];
const python = requireTool('python3', ['-c', 'import venv, ensurepip']);

function expectDenialInAudit(stdout: string): void {
  expect(stdout).toMatch(/DENY {2}summarizer events\.publish: .*events\.publish.*analytics\.documents.*\(decision \S+\)/);
  expect(stdout.trimEnd().endsWith('Everything has stopped.')).toBe(true);
}

describe('the demo', () => {
  test.skipIf(python.missing)(
    '[demo.denial-in-audit] a Python provider streams its answer through a Node channel',
    { timeout: 120_000 },
    async () => {
      const { code, stdout, stderr } = await runProgram([...demo, 'docs/protocol.md']);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(stdout).toMatch(/summarizer: process \d+, .*\.venv\/bin\/python/);
      expectDenialInAudit(stdout);
    },
  );

  test('[demo.without-python] without Python it says so and runs the twin', { timeout: 60_000 }, async () => {
    const { code, stdout } = await runProgram(demo, {
      input: 'Bees collect nectar from many flowers. Nectar of flowers becomes honey in the hive.',
      env: { SYNAPSE_DEMO_PYTHON: 'no-such-python' },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Python is not available here: no-such-python cannot be run .*\n/);
    expect(stdout).toContain('Nectar of flowers becomes honey in the hive.');
    expectDenialInAudit(stdout);
  });

  test.each([
    ['an empty file', ''],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0xc0, 0x80])],
    ['one line without an end', 'word '.repeat(20_000)],
  ])('%s does not disturb it', { timeout: 60_000 }, async (_what, content) => {
    const directory = mkdtempSync(join(tmpdir(), 'demo-'));
    try {
      writeFileSync(join(directory, 'document'), content);
      const { code, stdout } = await runProgram([...demo, join(directory, 'document')], { env: { SYNAPSE_DEMO_PYTHON: 'no-such-python' } });
      expect(code).toBe(0);
      expectDenialInAudit(stdout);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
