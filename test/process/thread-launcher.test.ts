import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { LaunchRequest } from '../../src/interfaces/launcher.js';
import type { CloseReason } from '../../src/interfaces/transport.js';
import { type ThreadLauncherOptions, threadLauncher } from '../../src/node/thread-launcher.js';
import { plugins } from './host-support.js';
import { request } from './launch-fixture.js';

const threaded = (changes: Partial<LaunchRequest> = {}): LaunchRequest => request('main.mjs', { directory: `${plugins}threaded`, ...changes });

async function launch(options: ThreadLauncherOptions = {}, changes: Partial<LaunchRequest> = {}) {
  const worker = await threadLauncher(options).launch(threaded(changes));
  const ends: CloseReason[] = [];
  let bytes = 0;
  const spoke = new Promise<void>((resolve) =>
    worker.connection.start({
      onData(chunk) {
        bytes += chunk.length;
        resolve();
      },
      onWritable() {},
      onClose: (reason) => void ends.push(reason),
    }),
  );
  return { worker, ends, spoke, received: () => bytes };
}

describe('threadLauncher', () => {
  test('gives a connection over which the thread says hello, and no process', async () => {
    const { worker, ends, spoke } = await launch();
    await spoke;
    expect(worker.pid).toBeUndefined();
    expect(worker.connection.peer.description).toMatch(/^thread \d+$/);
    worker.kill();
    expect(await worker.exited).toEqual({ exitCode: null, signal: 'SIGKILL', stragglers: { killed: 0, left: 0 } });
    expect(ends.map(({ code }) => code)).toEqual(['CONNECTION_LOST']);
    worker.kill();
    worker.terminate();
  });

  test('terminate is a SIGTERM of the thread, and not of the process', async () => {
    let signals = 0;
    const count = (): void => {
      signals += 1;
    };
    process.on('SIGTERM', count);
    const { worker, spoke } = await launch();
    await spoke;
    worker.terminate();
    // The session was never welcomed, so that there is nothing to drain: the worker leaves at once.
    expect(await worker.exited).toMatchObject({ exitCode: 1, signal: null });
    process.off('SIGTERM', count);
    expect(signals).toBe(0);
  });

  test('ends with its channel, when the host closes it in order', async () => {
    const { worker, ends, spoke } = await launch();
    await spoke;
    worker.connection.close();
    expect(await worker.exited).toMatchObject({ exitCode: 1, signal: null });
    expect(ends.map(({ code }) => code)).toEqual(['CLOSED']);
  });

  test('keeps what the thread said before the connection was started, its end included', async () => {
    const worker = await threadLauncher().launch(request('say-and-exit-thread.mjs'));
    expect(await worker.exited).toMatchObject({ exitCode: 0, signal: null });
    const chunks: Uint8Array[] = [];
    const reason = await new Promise<CloseReason>((resolve) =>
      worker.connection.start({ onData: (chunk) => void chunks.push(chunk), onWritable() {}, onClose: resolve }),
    );
    expect(Buffer.concat(chunks).toString()).toBe('last words');
    expect(reason.code).toBe('CONNECTION_LOST');
  });

  test('a launch that is given up leaves nothing behind', async () => {
    const controller = new AbortController();
    const launching = threadLauncher().launch(threaded({ signal: controller.signal }));
    await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort();
    await expect(launching).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(threadLauncher().launch(threaded({ signal: AbortSignal.abort() }))).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('synapse-worker-'))).toEqual([]);
  });

  test.each([
    ['a missing entry', { entry: 'missing.mjs' }, 'START_FAILED', /does not exist/],
    ['an entry outside of the folder', { entry: '../mailer/main.js' }, 'START_FAILED', /not a file within/],
    ['another language', { type: 'python' }, 'START_FAILED', /nodejs plugins only/],
    ['plain stdio', { channel: 'stdio' as const }, 'START_FAILED', /leave runtime.channel out/],
    ['an option of Node in the environment', { env: { NODE_OPTIONS: '--require=/tmp/x.js' } }, 'INVALID_ARGUMENT', /NODE_OPTIONS/],
  ])('refuses %s', async (_what, runtime, code, message) => {
    const whole = { type: 'nodejs', entry: 'main.mjs', args: [], env: {}, channel: 'fd' as const, ...runtime };
    await expect(threadLauncher().launch(threaded({ runtime: whole }))).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('synapse-worker-'))).toEqual([]);
  });
});
