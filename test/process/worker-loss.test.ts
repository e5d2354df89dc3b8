import { describe, expect, test } from 'vitest';
import type { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { isRunning, startHost, startMisbehaving, until } from './host-support.js';

const rejection = (promise: Promise<unknown>): Promise<WorkerRuntimeError> =>
  promise.then(
    (value) => Promise.reject(new Error(`It resolved: ${String(value)}`)),
    (error: WorkerRuntimeError) => error,
  );

describe('a worker that dies', () => {
  test('[lifecycle.last-words] [session.outcomes-distinct] exit code and the tail of stderr are in the error of the call', async () => {
    const { host } = startHost();
    const plugin = await startMisbehaving(host);
    const error = await rejection(plugin.call('exits', { code: 9 }));
    expect(error).toMatchObject({
      code: 'WORKER_LOST',
      mayHaveRun: true,
      reason: { code: 'EXITED', exitCode: 9, stderrTail: expect.stringContaining('last words') },
    });
    expect(error.reason?.action).not.toBe('');
    await until(() => plugin.state === 'quarantined');
    expect(plugin.reason).toMatchObject({ code: 'EXITED', exitCode: 9 });
    expect(host.audit({ kind: 'lifecycle' }).at(-1)).toMatchObject({ to: 'quarantined', reason: { exitCode: 9 } });
  });

  test('the signal is named, every call in flight is settled once, and the next call says why it cannot be made', async () => {
    const { host } = startHost();
    const plugin = await startMisbehaving(host);
    const calls = [plugin.call('slow', { ms: 60_000 }), plugin.call('slow', { ms: 60_000 }), plugin.call('killsItself')];
    const errors = await Promise.all(calls.map(rejection));
    for (const error of errors) expect(error).toMatchObject({ code: 'WORKER_LOST', reason: { code: 'KILLED_BY_SIGNAL', signal: 'SIGKILL' } });
    await until(() => plugin.state === 'quarantined');
    expect(await rejection(plugin.call('echo', 1))).toMatchObject({
      code: 'WORKER_UNAVAILABLE',
      mayHaveRun: false,
      reason: { code: 'KILLED_BY_SIGNAL' },
    });
  });

  test('[host.handle-survives] the same handle works again after a start by hand', async () => {
    const { host } = startHost();
    const plugin = await startMisbehaving(host);
    await rejection(plugin.call('exits', { code: 1 }));
    await until(() => plugin.state === 'quarantined');
    await plugin.start();
    expect(plugin.worker?.generation).toBe(2);
    expect(await plugin.call('echo', { again: true })).toEqual({ again: true });
  });

  test('[lifecycle.failures-isolated] another plugin does not feel it', async () => {
    const { host } = startHost();
    const plugin = await startMisbehaving(host);
    const source = {
      ...(await import('../../src/node/plugin-folder.js').then(({ readPluginFolder }) =>
        readPluginFolder(`${new URL('../fixtures/plugins/', import.meta.url).pathname}misbehaving`),
      )),
    };
    const manifest = new TextDecoder().decode(source.manifest).replace('id: misbehaving', 'id: neighbour');
    const neighbour = await host.install({ ...source, manifest });
    await neighbour.start();
    const slow = neighbour.call('slow', { ms: 300 });
    await rejection(plugin.call('killsItself'));
    expect(await slow).toBe('done');
    expect(neighbour.state).toBe('active');
  });

  test('a stream that is cut ends with the loss, after the items that arrived', async () => {
    const { host } = startHost();
    const plugin = await startMisbehaving(host);
    const stream = plugin.stream('counts', { to: 5, thenExit: true });
    const items: unknown[] = [];
    const error = await rejection(
      (async () => {
        for await (const item of stream) items.push(item);
      })(),
    );
    expect(items.length).toBeLessThanOrEqual(5);
    expect(error).toMatchObject({ code: 'WORKER_LOST', reason: { code: 'EXITED', exitCode: 3 } });
    expect(await rejection(stream.result)).toMatchObject({ code: 'WORKER_LOST' });
  });

  test('[lifecycle.dead-channel] a process that closed its channel is found and ended', async () => {
    const { host } = startHost({ timings: { killTimeoutMs: 200 } });
    const plugin = await startMisbehaving(host);
    const pid = plugin.worker?.pid as number;
    const error = await rejection(plugin.call('closesChannel'));
    expect(error.code).toBe('WORKER_LOST');
    await until(() => plugin.state === 'quarantined' && !isRunning(pid));
  });

  test('[lifecycle.missed-heartbeat] a stopped process is declared dead and killed', async () => {
    const { host } = startHost({ timings: { heartbeatMs: 100 } });
    const plugin = await startMisbehaving(host);
    const pid = plugin.worker?.pid as number;
    const error = await rejection(plugin.call('freezes'));
    expect(error).toMatchObject({ code: 'WORKER_LOST', reason: { code: 'HEARTBEAT_MISSED' } });
    await until(() => !isRunning(pid));
  });
});

describe('a start that fails', () => {
  test.each([
    ['fails-to-load', 'LOAD_FAILED', /database is not there/],
    ['exits-in-load', 'EXITED', /exit code 7/],
    ['hangs-in-load', 'LOAD_FAILED', /hookTimeoutMs|time limit/],
  ])('[launch.transactional-start] [plugin.load-hooks] %s: nothing is left, and the next start works', async (mode, code, message) => {
    const { host } = startHost({ timings: { hookTimeoutMs: 400, exitTimeoutMs: 200, killTimeoutMs: 200 } });
    const pids: number[] = [];
    host.on('worker.state', () => pids.push(host.plugins[0]?.worker?.pid ?? 0));
    const plugin = await host.install(`${new URL('../fixtures/plugins/', import.meta.url).pathname}misbehaving`, { config: { mode } });
    const error = await rejection(plugin.start());
    expect(error).toMatchObject({ code: 'START_FAILED', reason: { code } });
    expect(`${error.message} ${error.reason?.stderrTail}`).toMatch(message);
    expect(plugin.state).toBe('quarantined');
    for (const pid of pids.filter((each) => each > 0)) expect(isRunning(pid)).toBe(false);
    const good = await host.install(`${new URL('../fixtures/plugins/', import.meta.url).pathname}misbehaving`, { config: { mode: 'good' } });
    await good.start();
    expect(await good.call('echo', 1)).toBe(1);
  });

  test('[launch.limits-named] a worker that never says hello runs into the limit that the error names', async () => {
    const { host } = startHost({ timings: { startTimeoutMs: 300, killTimeoutMs: 200 } });
    const manifest = 'id: silent\nname: S\nauthor: t\ntype: skill\nversion: 1.0.0\nruntime: { type: python, entry: say-nothing.py }\n';
    const directory = new URL('../fixtures/programs/', import.meta.url).pathname;
    const plugin = await host.install({ manifest, directory });
    const error = await rejection(plugin.start());
    expect(error).toMatchObject({ code: 'START_FAILED', reason: { code: 'START_TIMEOUT' } });
    expect(error.message).toContain('startTimeoutMs');
  });

  test('a stop during the start wins, and leaves nothing', async () => {
    const { host } = startHost({ timings: { killTimeoutMs: 500 } });
    const plugin = await host.install(`${new URL('../fixtures/plugins/', import.meta.url).pathname}misbehaving`, {
      config: { mode: 'hangs-in-load' },
    });
    const starting = rejection(plugin.start());
    await until(() => plugin.worker?.pid !== undefined);
    const pid = plugin.worker?.pid as number;
    await plugin.stop();
    expect((await starting).code).toBe('START_FAILED');
    expect(plugin.state).toBe('idle');
    expect(isRunning(pid)).toBe(false);
  });
});

describe('stop', () => {
  test('[lifecycle.stop-ladder] calls in flight end within the grace time', async () => {
    const { host } = startHost();
    const plugin = await startMisbehaving(host);
    const slow = plugin.call('slow', { ms: 300 });
    const stopping = plugin.stop();
    expect(await rejection(plugin.call('echo', 1))).toMatchObject({ code: 'WORKER_UNAVAILABLE' });
    expect(await slow).toBe('done');
    await stopping;
    expect(plugin.state).toBe('idle');
  });

  test('[launch.process-group] calls over the grace time are lost as stopped, and children of the worker go too', async () => {
    const { host } = startHost({ timings: { exitTimeoutMs: 300, killTimeoutMs: 300 } });
    const plugin = await startMisbehaving(host);
    const pid = plugin.worker?.pid as number;
    const child = (await plugin.call('spawnsChild')) as number;
    const slow = rejection(plugin.call('slow', { ms: 60_000 }));
    await plugin.stop({ graceMs: 100 });
    expect(await slow).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true, reason: { code: 'DRAINING' } });
    await until(() => !isRunning(pid) && !isRunning(child));
  });
});

describe('what a plugin prints', () => {
  test('[launch.prints-become-logs] [audit.redacted] becomes log lines, without secrets and without terminal escapes', async () => {
    const { host, logs } = startHost();
    const plugin = await startMisbehaving(host, { config: { key: 'hunter2-hunter2' } });
    await plugin.call('prints', { text: 'plain \u001b[31mred\u001b[0m' });
    await rejection(plugin.call('tellsSecret'));
    await until(
      () =>
        logs.filter((line) => line.message.includes('again')).length === 1 && logs.filter((line) => line.message.includes('the key is')).length === 1,
    );
    expect(
      logs
        .filter((line) => line.message.includes('red'))
        .map((line) => line.source)
        .sort(),
    ).toEqual(expect.arrayContaining(['stderr']));
    expect(JSON.stringify(logs)).not.toContain('hunter2');
    expect(JSON.stringify(logs)).not.toContain('\\u001b[');
    expect(JSON.stringify(host.audit())).not.toContain('hunter2');
  });

  test('the protocol goes on under a flood', async () => {
    const { host } = startHost();
    const plugin = await startMisbehaving(host);
    await plugin.call('floods', { lines: 5_000 });
    expect(await plugin.call('echo', 'still here')).toBe('still here');
  });
});
