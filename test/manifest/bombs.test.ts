import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { bombs } from './bombs.js';
import { parse } from './support.js';

describe('documents that aim at the parser', () => {
  // In a process of their own: what they want to do is to end it.
  it('[manifest.bounded] abort nothing, hang nothing, pollute nothing and are all refused', { timeout: 120_000 }, async () => {
    const child = fileURLToPath(new URL('bombs-child.ts', import.meta.url));
    const temporary = mkdtempSync(join(tmpdir(), 'bombs-'));
    const environment = { ...process.env, TMPDIR: temporary };
    const run = promisify(execFile)(process.execPath, ['--import', 'tsx', child], { timeout: 110_000, env: environment });
    const { stdout } = await run.finally(() => rmSync(temporary, { recursive: true, force: true }));
    const { slowest, valid, polluted } = JSON.parse(stdout) as { slowest: { name: string; ms: number }; valid: string[]; polluted: boolean };
    expect(valid).toEqual([]);
    expect(polluted).toBe(false);
    // Bounded, with room for a loaded machine: on an idle one the slowest takes well below a second.
    expect(slowest.ms, slowest.name).toBeLessThan(10_000);
  });

  it('say in a few sentences what is wrong', () => {
    for (const name of ['flow lists', 'block lists', 'explicit keys', 'billion laughs', 'many keys']) {
      const { problems } = parse(bombs[name] ?? '');
      expect(problems.length, name).toBeGreaterThan(0);
      expect(problems.length, name).toBeLessThanOrEqual(202);
      for (const { message } of problems) expect(message.length, name).toBeLessThan(1_000);
    }
  });
});
