import { describe, expect, test } from 'vitest';
import type { HostNotifications } from '../../src/host/notifications.js';
import { definePlugin } from '../../src/plugin/define-plugin.js';
import { rawWorker } from '../host/raw-worker.js';
import { createRig, gate, installFake, type Rig, rejection, runs, startFake } from '../host/support.js';

function statesOf(rig: Rig): string[] {
  const states: string[] = [];
  rig.host.on('worker.state', ({ to }: HostNotifications['worker.state']) => states.push(to));
  return states;
}

describe('[lifecycle.stop-ladder] a stop', () => {
  test('drains, lets calls in flight end, unloads, says goodbye, and expects the exit', async () => {
    const rig = createRig();
    const states = statesOf(rig);
    const done = gate();
    const seen: string[] = [];
    const { plugin, workers } = await startFake(rig, {
      plugin: {
        methods: {
          slow: async (_params, ctx) => {
            await done.promise;
            seen.push(`draining ${ctx.draining}`);
            return 'done';
          },
        },
        onUnload: () => void seen.push('unloaded'),
      },
    });
    const slow = plugin.call('slow');
    await rig.clock.settle();
    const stopping = plugin.stop();
    await rig.clock.settle();
    expect(plugin).toMatchObject({ state: 'stopping', reason: { code: 'STOPPED' } });
    expect(plugin.worker).toMatchObject({ state: 'draining', callsInFlight: 1 });
    expect((await rejection(plugin.call('slow'))).code).toBe('WORKER_UNAVAILABLE');
    done.open();
    expect(await slow).toBe('done');
    await rig.clock.runUntil(stopping);
    expect(seen).toEqual(['draining true', 'unloaded']);
    expect(states).toEqual(['ready', 'draining', 'stopping', 'exited']);
    expect(workers[0]).toMatchObject({ terminations: 0, kills: 0 });
    expect(rig.clock.now()).toBe(0);
    expect(plugin.worker).toBeUndefined();
  });

  test.each([
    ['a process that stays', false, { terminations: 1, kills: 0 }, 2_000],
    ['one that ignores SIGTERM as well', true, { terminations: 1, kills: 1 }, 7_000],
  ])('%s is ended by the next step, each after its own time', async (_, ignoresTermination, counts, ms) => {
    const rig = createRig();
    const { plugin, workers } = await startFake(rig, { behaviour: runs(definePlugin({}), { exits: false }), launcher: { ignoresTermination } });
    await rig.clock.runUntil(plugin.stop());
    expect(rig.clock.now()).toBe(ms);
    expect(workers[0]).toMatchObject(counts);
  });

  test('calls that outlast the grace are lost, with the truth about them', async () => {
    const rig = createRig();
    const { plugin } = await startFake(rig, { plugin: { methods: { hang: () => new Promise(() => {}) } } });
    const call = rejection(plugin.call('hang', {}, { timeoutMs: 0 }));
    await rig.clock.settle();
    await rig.clock.runUntil(plugin.stop({ graceMs: 300 }));
    expect(rig.clock.now()).toBe(300);
    expect(await call).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
  });

  test('an on_unload that fails is logged, and one that hangs ends at the time of hooks', async () => {
    const rig = createRig();
    const failing = await startFake(rig, {
      id: 'failing',
      plugin: {
        onUnload: () => {
          throw new Error('cannot let go');
        },
      },
    });
    await rig.clock.runUntil(failing.plugin.stop());
    expect(rig.logs.find(({ message }) => message.includes('on_unload failed'))?.fields).toMatchObject({
      plugin: 'failing',
      err: { message: expect.stringContaining('cannot let go') },
    });
    expect(rig.host.audit({ kind: 'violation' })).toEqual([]);
    const hanging = await startFake(rig, {
      id: 'hanging',
      plugin: { onUnload: () => new Promise(() => {}) },
      install: { timings: { hookTimeoutMs: 400 } },
    });
    const before = rig.clock.now();
    await rig.clock.runUntil(hanging.plugin.stop());
    expect(rig.clock.now() - before).toBe(400);
  });
});

describe('a worker that leaves by itself', () => {
  test('may finish what it began, and the reason is its own', async () => {
    const rig = createRig();
    const done = gate();
    const seen: string[] = [];
    const { plugin, workers } = await startFake(rig, {
      plugin: { methods: { slow: () => done.promise.then(() => 'done') }, onUnload: () => void seen.push('unloaded') },
    });
    const slow = plugin.call('slow');
    await rig.clock.settle();
    void (await workers[0]!.running).stop({ reason: 'I am tired.' });
    await rig.clock.settle();
    expect(plugin.worker?.state).toBe('draining');
    expect(plugin.reason).toMatchObject({ code: 'DRAINING', message: expect.stringContaining('I am tired.') });
    expect((await rejection(plugin.call('slow'))).code).toBe('DRAINING');
    done.open();
    expect(await slow).toBe('done');
    await rig.clock.settle();
    expect(seen).toEqual(['unloaded']);
    expect(plugin).toMatchObject({
      state: 'quarantined',
      reason: { code: 'EXITED', exitCode: 0, message: 'The worker left by itself: I am tired.' },
    });
    expect(workers[0]).toMatchObject({ terminations: 0, kills: 0 });
    expect(rig.logs.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('a start meanwhile waits until it is gone', async () => {
    const rig = createRig();
    const done = gate();
    const { plugin, workers } = await startFake(rig, { plugin: { methods: { slow: () => done.promise } } });
    const slow = plugin.call('slow');
    await rig.clock.settle();
    void (await workers[0]!.running).stop();
    await rig.clock.settle();
    const starting = plugin.start();
    await rig.clock.settle();
    expect(workers).toHaveLength(1);
    done.open();
    await slow;
    await rig.clock.runUntil(starting);
    expect(plugin.worker?.generation).toBe(2);
  });

  test('a stop of the host in between shortens its grace', async () => {
    const rig = createRig();
    const { plugin, workers } = await startFake(rig, { plugin: { methods: { hang: () => new Promise(() => {}) } } });
    const call = rejection(plugin.call('hang', {}, { timeoutMs: 0 }));
    await rig.clock.settle();
    const leaving = (await workers[0]!.running).stop({ graceMs: 60_000 });
    await rig.clock.settle();
    await rig.clock.runUntil(plugin.stop({ graceMs: 100 }), { limitMs: 11_000 });
    expect((await call).code).toBe('WORKER_LOST');
    expect(plugin).toMatchObject({ state: 'idle', reason: { code: 'STOPPED' } });
    await rig.clock.runUntil(leaving);
  });

  test('one that says so but stays is ended', async () => {
    const rig = createRig();
    const { behaviour, raw } = rawWorker();
    const { plugin, workers } = await startFake(rig, { behaviour });
    raw[0]!.peer.send({ kind: 'drain', graceMs: 100, reason: 'soon\u001b[2J' });
    await rig.clock.advance(60_000);
    expect(plugin.state).toBe('quarantined');
    expect(workers[0]?.terminations).toBe(1);
    expect(plugin.reason?.message).not.toContain('\u001b');
  });

  test('one that drains while it loads is no success', async () => {
    const rig = createRig();
    const { behaviour } = rawWorker({
      onMessage: (message, { peer }) => message.kind === 'welcome' && peer.send({ kind: 'drain', graceMs: 0, reason: 'no' }),
    });
    const { plugin } = await installFake(rig, { behaviour });
    const starting = rejection(plugin.start());
    await rig.clock.runUntil(starting);
    expect((await starting).code).toBe('START_FAILED');
    expect(plugin.state).toBe('quarantined');
  });
});

describe('[lifecycle.last-words] a worker that dies', () => {
  test('exit code and the tail of stderr are in the error, the reason and the audit; the tail is bounded', async () => {
    const rig = createRig();
    const { plugin, workers } = await startFake(rig, { plugin: { methods: { hang: () => new Promise(() => {}) } } });
    const call = rejection(plugin.call('hang'));
    await rig.clock.settle();
    for (let line = 0; line < 2_000; line += 1) workers[0]!.request.onOutput({ source: 'stderr', text: `line ${line}`, truncated: false });
    workers[0]!.request.onOutput({ source: 'stderr', text: 'last words \u001b[31m', truncated: false });
    workers[0]!.exit({ exitCode: 9 });
    const error = await rig.clock.runUntil(call);
    expect(error).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true, reason: { code: 'EXITED', exitCode: 9, signal: null } });
    expect(error.reason?.stderrTail).toMatch(/line 1999\nlast words \\u001b\[31m$/);
    expect(error.reason?.stderrTail.length).toBeLessThanOrEqual(8_192);
    expect(plugin.reason).toEqual(error.reason);
    expect(rig.host.audit({ kind: 'lifecycle' }).at(-1)).toMatchObject({ to: 'quarantined', reason: { exitCode: 9 } });
  });

  test('a signal is named', async () => {
    const rig = createRig();
    const { plugin, workers } = await startFake(rig);
    workers[0]!.exit({ exitCode: null, signal: 'SIGKILL' });
    await rig.clock.settle();
    expect(plugin.reason).toMatchObject({ code: 'KILLED_BY_SIGNAL', signal: 'SIGKILL' });
    expect((await rejection(plugin.call('x'))).code).toBe('WORKER_UNAVAILABLE');
  });

  test('[lifecycle.dead-channel] a channel that is closed while the process goes on ends the worker, and calls are told soon', async () => {
    const rig = createRig();
    const { behaviour } = rawWorker();
    const { plugin, workers } = await startFake(rig, { behaviour });
    const call = rejection(plugin.call('x'));
    await rig.clock.settle();
    workers[0]!.connection.close();
    await rig.clock.advance(1_000);
    expect(await call).toMatchObject({ code: 'WORKER_LOST', reason: { code: 'CHANNEL_CLOSED' } });
    expect(workers[0]?.terminations).toBe(1);
    await rig.clock.settle();
    expect(plugin.reason?.code).toBe('CHANNEL_CLOSED');
  });

  test('a goodbye without a drain is an end like another, with its words', async () => {
    const rig = createRig();
    const { behaviour, raw } = rawWorker();
    const { plugin, workers } = await startFake(rig, { behaviour });
    raw[0]!.peer.send({ kind: 'goodbye', code: 'INTERNAL_ERROR', message: 'my mistake' });
    await rig.clock.advance(2_000);
    expect(plugin.reason).toMatchObject({ code: 'CHANNEL_CLOSED', message: expect.stringMatching(/INTERNAL_ERROR.*my mistake/) });
    expect(workers[0]?.terminations).toBe(1);
  });
});

describe('[launch.transactional-start] a launch', () => {
  test('that fails is the reason of the start', async () => {
    const rig = createRig();
    const { plugin } = await installFake(rig, {
      launcher: {
        beforeLaunch: () => {
          throw new Error('no such file: main.js');
        },
      },
    });
    expect(await rejection(plugin.start())).toMatchObject({
      code: 'START_FAILED',
      reason: { code: 'SPAWN_FAILED', message: expect.stringContaining('no such file') },
    });
    expect(plugin.state).toBe('quarantined');
  });

  test('that never comes to an end is given up, and what comes too late is killed', async () => {
    const rig = createRig();
    const launching = gate();
    const { plugin, workers } = await installFake(rig, {
      launcher: { beforeLaunch: () => launching.promise },
      install: { timings: { startTimeoutMs: 1_000, killTimeoutMs: 500 } },
    });
    const starting = rejection(plugin.start());
    await rig.clock.runUntil(starting);
    expect(rig.clock.now()).toBe(1_500);
    expect(await starting).toMatchObject({ reason: { code: 'START_TIMEOUT' } });
    launching.open();
    await rig.clock.settle();
    expect(workers[0]).toMatchObject({ kills: 1 });
  });

  test('that comes after the stop was asked for is ended, by force if need be', async () => {
    const rig = createRig();
    const launching = gate();
    const { plugin, workers } = await installFake(rig, { launcher: { beforeLaunch: () => launching.promise, ignoresTermination: true } });
    const starting = rejection(plugin.start());
    await rig.clock.settle();
    const stopping = plugin.stop();
    await rig.clock.advance(1_000);
    launching.open();
    await rig.clock.runUntil(Promise.all([stopping, starting]));
    expect(workers[0]).toMatchObject({ terminations: 1, kills: 1 });
    expect(rig.clock.now()).toBe(5_000);
  });

  test('whose exit is a rejection counts as an exit', async () => {
    const rig = createRig();
    const { behaviour } = rawWorker();
    const { plugin, source } = await installFake(rig, { behaviour });
    const launcher = source.launcher!;
    const broken = {
      ...launcher,
      launch: async (request: Parameters<typeof launcher.launch>[0]) => ({
        ...(await launcher.launch(request)),
        exited: Promise.reject(new Error('lost track')),
      }),
    };
    await rig.host.install({ ...source, launcher: broken });
    expect(await rig.clock.runUntil(rejection(plugin.start()))).toMatchObject({
      code: 'START_FAILED',
      reason: { message: expect.stringContaining('lost track') },
    });
  });
});
