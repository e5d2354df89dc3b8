import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { createNodeHost } from '../../src/node/create-node-host.js';
import { readPluginFolder } from '../../src/node/plugin-folder.js';
import { threadLauncher } from '../../src/node/thread-launcher.js';
import { isRunning, plugins, startHost, until } from './host-support.js';

const rejection = (promise: Promise<unknown>): Promise<WorkerRuntimeError> =>
  promise.then(
    (value) => Promise.reject(new Error(`It resolved: ${String(value)}`)),
    (error: WorkerRuntimeError) => error,
  );

async function startThreaded(options: Parameters<typeof threadLauncher>[0] = {}) {
  const { host, logs } = startHost({ launcher: threadLauncher(options), timings: { hookTimeoutMs: 500, exitTimeoutMs: 500, killTimeoutMs: 200 } });
  const plugin = await host.install(`${plugins}threaded`);
  await plugin.start();
  return { host, logs, plugin };
}

describe('a plugin in a thread', () => {
  test('[thread.worker] [identity.one-model] is installed, started, called, streamed from and stopped like any other, and is labelled as not isolated', async () => {
    const { host, plugin, logs } = await startThreaded();
    expect(await plugin.call('echo', { text: 'a', bytes: new Uint8Array([1, 2, 3]) })).toEqual({ text: 'a', bytes: new Uint8Array([1, 2, 3]) });
    const stream = plugin.stream('counts', { to: 200 });
    let count = 0;
    for await (const item of stream) {
      expect((item as { at: number }).at).toBe(count);
      count += 1;
    }
    expect([count, await stream.result]).toEqual([200, 'counted']);
    expect(plugin.worker).toMatchObject({ isolation: 'none', pid: undefined });
    expect(plugin.worker?.description).toMatch(/^thread \d+ of this process \(no isolation\): .*main\.mjs$/);
    await plugin.stop();
    expect(plugin.state).toBe('idle');
    expect(logs.map(({ message }) => message)).toContain('unloaded');
    expect(host.audit({ kind: 'lifecycle' }).at(-1)).toMatchObject({ to: 'idle' });
  });

  test('[thread.surroundings] has arguments and an environment of its own, from an allow-list, and nothing that the host was started with', async () => {
    process.env.HOST_SECRET = 'not for plugins';
    try {
      const { plugin } = await startThreaded();
      const found = (await plugin.call('surroundings', {})) as { env: Record<string, string> };
      expect(found).toMatchObject({ isMainThread: false, args: ['--shade', 'blue'], execArgv: [], hasPort: false });
      const { HOME, TMPDIR, ...env } = found.env;
      expect(HOME).toBe(TMPDIR);
      expect(
        Object.keys(env)
          .filter((name) => !['LC_ALL', 'LC_CTYPE', 'TZ'].includes(name))
          .sort(),
      ).toEqual(['FLAVOUR', 'LANG', 'PATH', 'SYNAPSE_WORKER_ID']);
      const path = (await plugin.call('leavesFile', {})) as string;
      expect(path.startsWith(TMPDIR!)).toBe(true);
      await plugin.stop();
      expect(existsSync(path)).toBe(false);
    } finally {
      delete process.env.HOST_SECRET;
    }
  });

  test('what it prints becomes lines, cut and made harmless', async () => {
    const { plugin, logs } = await startThreaded({ maxLineBytes: 100 });
    await plugin.call('prints', { text: `\u001b[31m${'x'.repeat(300)}` });
    await until(() => logs.filter(({ message }) => message.includes('xxx')).length === 2);
    for (const { message } of logs.filter((line) => line.message.includes('xxx'))) {
      expect(message.startsWith('\\x1b[31mxxx')).toBe(true);
      expect(message.length).toBeLessThan(200);
    }
  });

  test('[thread.death] its end is the loss of its calls, with exit code and last words, and the host lives on', async () => {
    const { plugin } = await startThreaded();
    const waiting = rejection(plugin.call('exits', { code: 9 }));
    expect(await waiting).toMatchObject({
      code: 'WORKER_LOST',
      mayHaveRun: true,
      reason: { code: 'EXITED', exitCode: 9, stderrTail: expect.stringContaining('last words') },
    });
    await until(() => plugin.state === 'quarantined');
    await plugin.start();
    expect(await plugin.call('echo', 1)).toBe(1);
  });

  test('one that never gives up its turn is stopped by force', async () => {
    const { plugin } = await startThreaded();
    const lost = rejection(plugin.call('spins', {}));
    await plugin.stop({ graceMs: 0 });
    expect((await lost).code).toBe('WORKER_LOST');
    expect(plugin.state).toBe('idle');
  });

  test('[thread.limits] one that hoards memory is ended by its limits, says so, and the host lives on', async () => {
    const { plugin } = await startThreaded({ resourceLimits: { maxOldGenerationSizeMb: 24 } });
    const error = await rejection(plugin.call('hoards', {}));
    expect(error).toMatchObject({ code: 'WORKER_LOST', reason: { exitCode: 1, stderrTail: expect.stringMatching(/memory limit/) } });
  });

  test('an error that nobody catches ends it, and is told', async () => {
    const { host } = startHost({ launcher: threadLauncher() });
    const plugin = await host.install(`${plugins}threaded`, { config: { mode: 'throws' } });
    await plugin.start();
    await until(() => plugin.state === 'quarantined');
    expect(plugin.reason).toMatchObject({ exitCode: 1, stderrTail: expect.stringContaining('nobody catches this') });
  });

  test('an error before it serves fails the start and is told', async () => {
    const { host } = startHost({ launcher: threadLauncher() });
    const source = await readPluginFolder(`${plugins}threaded`);
    const manifest = new TextDecoder().decode(source.manifest).replace('--shade', '--throw');
    const plugin = await host.install({ ...source, manifest });
    expect(await rejection(plugin.start())).toMatchObject({
      code: 'START_FAILED',
      reason: { exitCode: 1, stderrTail: expect.stringContaining('the shelf is empty') },
    });
  });

  test('processes that it leaves behind are ended by their marker', async () => {
    const { plugin } = await startThreaded();
    const pid = (await plugin.call('spawnsChild', {})) as number;
    expect(isRunning(pid)).toBe(true);
    await plugin.stop({ graceMs: 0 });
    await until(() => !isRunning(pid));
  });

  test('many start and stop beside each other, and none is left', async () => {
    const { host } = startHost({ launcher: threadLauncher() });
    const source = await readPluginFolder(`${plugins}threaded`);
    const text = new TextDecoder().decode(source.manifest);
    const started = await Promise.all(
      Array.from({ length: 6 }, async (_, index) => {
        const plugin = await host.install({ ...source, manifest: text.replace('id: threaded', `id: threaded-${index}`) });
        await plugin.start();
        return plugin;
      }),
    );
    expect(await Promise.all(started.map((plugin, index) => plugin.call('echo', index)))).toEqual([0, 1, 2, 3, 4, 5]);
    await host.stop();
  });

  test('[thread.no-isolation] is refused to a manifest that wants isolation, and to one that is no Node program', async () => {
    const host = createNodeHost({ launcher: threadLauncher() });
    const isolated = await host.install({
      manifest: `${base('isolated')}min_isolation: process\nruntime: { type: nodejs, entry: main.mjs }\n`,
      manifestFileName: 'manifest.yml',
    });
    expect(await rejection(isolated.start())).toMatchObject({ reason: { code: 'ISOLATION_UNAVAILABLE' } });
    const snake = await host.install({ manifest: `${base('snake')}runtime: { type: python, entry: main.py }\n`, manifestFileName: 'manifest.yml' });
    expect((await rejection(snake.start())).message).toMatch(/runs nodejs plugins only/);
    await host.stop();
  });

  test.each([
    [{ resourceLimits: { stackSizeMb: 0 } }, /stackSizeMb/],
    [{ maxLineBytes: Number.NaN }, /maxLineBytes/],
    [{ passEnv: ['SYNAPSE_WORKER_CHANNEL'] }, /sets it itself/],
  ])('refuses the options %o', (options, message) => {
    expect(() => threadLauncher(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) }));
  });
});

const base = (id: string): string => `id: ${id}\nname: ${id}\nauthor: tests\ntype: skill\nversion: 1.0.0\n`;
