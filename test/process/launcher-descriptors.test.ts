import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { requireTool } from '../helpers/require-tool.js';
import { programs } from './launch-fixture.js';

const canBeTold = existsSync('/proc/self/fdinfo') && !requireTool('python3').missing;

it.skipIf(!canBeTold)('[launch.exact-descriptors] a descriptor that the host itself inherited does not reach the worker', () => {
  const secret = openSync(join(programs, 'not-executable'), 'r');
  // Node marks the inherited descriptors below 16 itself.
  const stdio = Array.from({ length: 41 }, (_, index) => (index === 9 || index === 20 || index === 40 ? secret : index < 3 ? 'pipe' : 'ignore'));
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', join(programs, 'launching-host.ts')], {
    stdio,
    encoding: 'utf8',
    env: { ...process.env, TSX_DISABLE_CACHE: '1' },
  });
  closeSync(secret);
  expect(stderr).toBe('');
  const { descriptors } = JSON.parse(stdout) as { descriptors: Record<string, string> };
  expect(descriptors['3']).toMatch(/^socket:/);
  expect(Object.values(descriptors).filter((target) => target.includes('not-executable'))).toEqual([]);
});
