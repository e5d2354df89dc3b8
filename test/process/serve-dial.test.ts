import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { unixTransport } from '../../transports/unix/unix-transport.js';
import { cutLine } from './cut-line.js';
import { startHost, until } from './host-support.js';

const program = 'examples/remote/greeter/main.mjs';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'synapse-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The README's worker, as a person starts it: nothing but its channel keeps the process alive. */
function startWorker(channel: string, tokenFile: string | undefined) {
  const child = spawn(process.execPath, [program], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, SYNAPSE_WORKER_CHANNEL: channel, ...(tokenFile === undefined ? {} : { SYNAPSE_WORKER_TOKEN_FILE: tokenFile }) },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return { child, exit: once(child, 'exit').then(([status]) => status as number | null), said: () => stderr };
}

function writeToken(text: string, mode = 0o600): string {
  const file = join(folder, 'token');
  writeFileSync(file, text, { mode });
  chmodSync(file, mode);
  return file;
}

describe('[dialin.patience] a worker that dials in by itself', { timeout: 30_000 }, () => {
  test('waits for a host that is not up yet, then for one that was away, with nothing else to keep it alive', async () => {
    const address = `unix:${join(folder, 's')}`;
    const { host } = startHost();
    const plugin = await host.install('examples/remote/greeter', { trust: 'community' });
    const worker = startWorker(address, writeToken(host.issueToken({ plugin: plugin.id }).token));
    await until(() => (worker.said().match(/was not reached/g) ?? []).length >= 3);
    const { address: direct } = await host.listen(unixTransport(), 'unix:');
    const line = await cutLine(address.slice('unix:'.length), { path: direct.slice('unix:'.length) });
    await until(() => plugin.state === 'active');
    await expect(plugin.call('greet', { name: 'Ada' })).resolves.toMatchObject({ greeting: expect.stringContaining('Ada') });

    for (let round = 0; round < 2; round += 1) {
      const failures = line.connections;
      line.refuse();
      line.cut();
      await until(() => line.connections >= failures + 3, 10_000);
      line.heal();
      await until(() => plugin.worker?.state === 'ready', 10_000);
      await expect(plugin.call('greet', { name: 'Ada' })).resolves.toMatchObject({ greeting: expect.stringContaining('Ada') });
    }
    expect(plugin.worker?.generation).toBe(1);
    worker.child.kill('SIGTERM');
    expect(await worker.exit).toBe(0);
  });

  test('ends when it is told to while it looks for its first host', async () => {
    const worker = startWorker(`unix:${join(folder, 'nobody')}`, writeToken('x'));
    await until(() => (worker.said().match(/was not reached/g) ?? []).length >= 2);
    worker.child.kill('SIGTERM');
    // It has never had a host: there is nothing that it could leave in order.
    expect(await worker.exit).toBe(1);
  });

  test('says what to do without a token, with one that others may read, and with one that is not good', async () => {
    const address = `unix:${join(folder, 's')}`;
    const without = startWorker(address, undefined);
    expect(await without.exit).toBe(1);
    expect(without.said()).toContain('needs a registration token');

    const readable = startWorker(address, writeToken('x', 0o644));
    expect(await readable.exit).toBe(1);
    expect(readable.said()).toContain('chmod 600');

    const { host } = startHost();
    await host.install('examples/remote/greeter', { trust: 'community' });
    await host.listen(unixTransport(), address);
    const wrong = startWorker(address, writeToken('wrong'));
    expect(await wrong.exit).toBe(1);
    expect(wrong.said()).toContain('Ask the operator for a new token');
    await host.stop();
  });

  test('keeps the secrets of its address to itself', async () => {
    const worker = startWorker('ws://user:TOPSECRET@127.0.0.1:9/x?key=TOPSECRET', writeToken('x'));
    await until(() => worker.said() !== '' || worker.child.exitCode !== null);
    worker.child.kill('SIGKILL');
    await worker.exit;
    expect(worker.said()).not.toContain('TOPSECRET');
  });
});
