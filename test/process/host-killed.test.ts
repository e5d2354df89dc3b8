import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { requirePythonSdk } from '../helpers/python-sdk.js';
import { isRunning, plugins, until } from './host-support.js';

const python = requirePythonSdk();

test('[launch.ends-with-host] workers end when their host is killed, busy ones too', async () => {
  const program = fileURLToPath(new URL('../fixtures/hosts/two-workers.mjs', import.meta.url));
  // A host that is killed cannot remove its workers' private folders.
  const temporary = mkdtempSync(join(tmpdir(), 'killed-host-'));
  onTestFinished(() => rmSync(temporary, { recursive: true }));
  const host = spawn(process.execPath, [program, plugins, python.interpreter], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: temporary },
  });
  const [line] = (await once(host.stdout, 'data')) as [Buffer];
  const pids = JSON.parse(line.toString()) as number[];
  expect(pids.length).toBeGreaterThan(0);
  host.kill('SIGKILL');
  await once(host, 'exit');
  await until(() => pids.every((pid) => !isRunning(pid)), 10_000);
});
