import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { nodePlatform } from '../../src/node/node-platform.js';
import { fromDuplex } from '../../transports/byte-stream/duplex-connection.js';
import { type AcceptedPlugin, acceptPlugin, rejection, type TestHostOptions } from './test-host.js';

const program = fileURLToPath(new URL('served.ts', import.meta.url));

interface Served extends AcceptedPlugin {
  readonly child: ChildProcess;
  readonly channel: Duplex;
  /** Resolves when the process has ended and its output was read. */
  readonly exit: Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }>;
}

function launch(environment: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, ['--import', 'tsx', program], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    // Without this file's own TMPDIR: tsx keeps its cache there, and finds it again only in the usual place.
    env: { PATH: process.env.PATH, ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const exit = once(child, 'close').then(([status]) => ({ status: status as number | null, stdout, stderr }));
  return { child, exit, channel: child.stdio[3] as Duplex };
}

async function launchServed(options: TestHostOptions = {}): Promise<Served> {
  const launched = launch({
    SYNAPSE_WORKER_CHANNEL: 'fd:3',
    SYNAPSE_WORKER_PLUGIN_ID: 'tested',
    SYNAPSE_WORKER_PLUGIN_VERSION: '1.2.3',
    SYNAPSE_WORKER_ID: 'w1',
  });
  const accepted = await acceptPlugin(fromDuplex(launched.channel, { peer: { description: 'the worker' } }), nodePlatform().clock, {
    handshakeTimeoutMs: 50_000,
    ...options,
  });
  return { ...launched, ...accepted };
}

describe.concurrent('serve', { timeout: 60_000 }, () => {
  test('[plugin.no-channel] without a channel prints what the program is and exits with 2', async () => {
    const { exit, channel } = launch({});
    channel.destroy();
    expect(await exit).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('synapse-worker run') });
  });

  test('a channel that it does not speak', async () => {
    const { exit, channel } = launch({ SYNAPSE_WORKER_CHANNEL: 'carrier-pigeon:7' });
    channel.destroy();
    expect(await exit).toMatchObject({ status: 2, stderr: expect.stringContaining('carrier-pigeon') });
  });

  test('answers calls, keeps prints off the channel, and exits with 0 after a goodbye', async () => {
    const served = await launchServed();
    expect(served.hello.plugin).toEqual({ id: 'tested', version: '1.2.3' });
    expect(await served.session.call('echo', { a: 1 })).toEqual({ a: 1 });
    expect(await served.session.call('environment', {})).toEqual(['SYNAPSE_WORKER_ID']);
    await served.session.call('print', 'something');
    await served.session.call('plugin.unload', {});
    served.session.close('STOPPED', 'The host stops.');
    expect(await served.exit).toMatchObject({ status: 0, stdout: '', stderr: 'printed something\n' });
  });

  test('on SIGTERM ends what is in flight, unloads and says goodbye', async () => {
    const served = await launchServed();
    const slow = served.session.call('slow', {});
    await served.session.call('echo', {});
    served.child.kill('SIGTERM');
    expect(await slow).toBe('done');
    expect(await served.ended).toMatchObject({ code: 'DRAINED', goodbye: true });
    expect(served.logs).toMatchObject([{ message: 'unloading' }]);
    expect(await served.exit).toMatchObject({ status: 0 });
  });

  test('when the channel ends the process does, even if a handler hangs', async () => {
    const served = await launchServed();
    const call = rejection(served.session.call('hang', {}));
    await served.session.call('echo', {});
    served.channel.destroy();
    expect(await served.exit).toMatchObject({ status: 1, stderr: expect.stringContaining('channel') });
    expect(await call).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
  });

  test.each([
    ['throwLater', 'Uncaught exception', 'not caught'],
    ['rejectLater', 'Unhandled rejection', 'not handled'],
  ])('%s ends the process, which says why', async (method, what, message) => {
    const served = await launchServed({ welcome: { config: { key: 's3cret-value' }, secretConfigKeys: ['key'] } });
    const hanging = rejection(served.session.call('hang', {}));
    await served.session.call(method, {});
    expect(await served.ended).toMatchObject({ code: 'INTERNAL_ERROR', message: expect.stringContaining(`${what}: ${message}`), goodbye: true });
    expect(await hanging).toMatchObject({ code: 'WORKER_LOST' });
    const exit = await served.exit;
    expect(exit).toMatchObject({ status: 1, stderr: expect.stringContaining(`${what}: Error: ${message}`) });
    expect(served.logs.find(({ level }) => level === 'fatal')).toMatchObject({
      message: expect.stringContaining(message),
      fields: { err: { stack: expect.any(String) } },
    });
    expect(JSON.stringify([exit, served.logs, await served.ended])).not.toContain('s3cret-value');
  });
});
