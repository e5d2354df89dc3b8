import { describe, expect, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define-plugin.js';
import { allow, createRig, gate, installFake, manifestText, memoryLauncher, rejection, runs, startFake } from './support.js';

describe('install', () => {
  test('[host.install-idempotent] the same source again is the same plugin, and nothing is started', async () => {
    const rig = createRig();
    const { plugin, workers, source } = await installFake(rig);
    expect(await rig.host.install(source)).toBe(plugin);
    expect(await rig.host.install({ ...source })).toBe(plugin);
    expect(rig.host.plugins).toEqual([plugin]);
    expect(rig.host.plugin('tested')).toBe(plugin);
    expect(plugin.state).toBe('idle');
    expect(plugin.reason?.code).toBe('NOT_STARTED');
    expect(plugin.worker).toBeUndefined();
    expect(workers).toHaveLength(0);
  });

  test.each([
    ['another version', { version: '2.0.0' }, {}],
    ['another configuration', {}, { config: { key: 'b' } }],
    ['another trust', {}, { trust: 'official' }],
    ['other limits', {}, { limits: { maxConcurrency: 2 } }],
  ] as const)('%s is refused while it runs, and takes its place when it does not; the handle stays', async (_, parts, install) => {
    const rig = createRig();
    const more = { config_schema: { key: { type: 'string', default: 'a' } } };
    const { plugin, source } = await startFake(rig, { more });
    const other = { ...source, manifest: manifestText({ more, ...parts }) };
    expect(await rejection(rig.host.install(other, install))).toMatchObject({ code: 'INVALID_STATE', message: expect.stringContaining('active') });
    expect(plugin.manifest.version).toBe('1.0.0');
    await rig.clock.runUntil(plugin.stop());
    expect(await rig.host.install(other, install)).toBe(plugin);
    await plugin.start();
    expect(plugin.manifest.version).toBe('version' in parts ? parts.version : '1.0.0');
    // Incarnations are counted per plugin, whatever version they are of.
    expect(plugin.worker?.generation).toBe(2);
  });

  test('another launcher is another plugin, though the manifest is the same', async () => {
    const rig = createRig();
    const { plugin, source } = await installFake(rig, { plugin: { methods: { who: () => 'first' } } });
    const launcher = memoryLauncher(rig.platform, runs(definePlugin({ methods: { who: () => 'second' } })));
    await rig.host.install({ ...source, launcher });
    await plugin.start();
    expect(await plugin.call('who')).toBe('second');
  });

  test('a version that is about to start is not replaced', async () => {
    const rig = createRig();
    const { plugin, source } = await installFake(rig);
    const starting = plugin.start();
    expect(plugin.state).toBe('idle');
    expect((await rejection(rig.host.install({ ...source, manifest: manifestText({ version: '2.0.0' }) }))).code).toBe('INVALID_STATE');
    await starting;
    expect(plugin.manifest.version).toBe('1.0.0');
  });

  test('a manifest with problems says all of them, a wrong configuration its own, a wrong tier itself', async () => {
    const { host } = createRig();
    expect(await rejection(host.install({ manifest: '{}', manifestFileName: 'manifest.json' }))).toMatchObject({
      code: 'INVALID_MANIFEST',
      details: { problems: expect.any(Array) },
    });
    expect((await rejection(host.install({ manifest: manifestText(), manifestFileName: 'manifest.json' }, { config: { no: 1 } }))).code).toBe(
      'INVALID_CONFIG',
    );
    const tiers = ['root', 'constructor', '__proto__'];
    for (const trust of tiers) {
      expect((await rejection(host.install({ manifest: manifestText(), manifestFileName: 'manifest.json' }, { trust: trust as never }))).code).toBe(
        'INVALID_ARGUMENT',
      );
    }
    expect((await rejection(host.install('some/path'))).message).toContain('createNodeHost');
    expect(host.plugins).toEqual([]);
  });

  test.each([
    [{ limits: { maxConcurrency: Number.NaN } }, 'limits.maxConcurrency'],
    [{ limits: { maxLogLinesPerMinute: 0 } }, 'limits.maxLogLinesPerMinute'],
    [{ timings: { heartbeatMs: 0 } }, 'timings.heartbeatMs'],
    [{ timings: { graceMs: -1 } }, 'timings.graceMs'],
    [{ timings: { startTimeoutMs: Number.POSITIVE_INFINITY } }, 'timings.startTimeoutMs'],
  ])('a limit that would limit nothing is refused: %o', async (install, name) => {
    const { host } = createRig();
    expect(await rejection(host.install({ manifest: manifestText(), manifestFileName: 'manifest.json' }, install))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(name),
    });
  });

  test('[policy.trust-from-operator] what the manifest says about its own trust counts for nothing', async () => {
    const rig = createRig({ rules: [{ ...allow('storage.read'), trust: ['official'] }] });
    const requests = [{ capability: 'storage.read', keys: ['*'] }];
    const { plugin } = await installFake(rig, { requests, more: { trust: 'official', trust_tier: 'official', official: true } });
    expect(plugin.trust).toBe('unverified');
    expect(await plugin.plan()).toMatchObject({ status: 'needs-approval', trust: 'unverified' });
    const trusted = await installFake(rig, { id: 'trusted', requests, install: { trust: 'official' } });
    expect(await trusted.plugin.plan()).toMatchObject({ status: 'ready' });
  });
});

describe('uninstall', () => {
  test('runs the hook, stops, forgets the plugin and its subscriptions; the handle says so', async () => {
    const rig = createRig({ rules: [allow('events.subscribe')] });
    const seen: string[] = [];
    const { plugin, source } = await startFake(rig, {
      requests: [{ capability: 'events.subscribe', topics: ['**'] }],
      plugin: { on: { 'a.b': () => {} }, onUninstall: () => void seen.push('uninstall'), onUnload: () => void seen.push('unload') },
    });
    await rig.clock.runUntil(rig.host.uninstall('tested'));
    expect(seen).toEqual(['uninstall', 'unload']);
    expect(rig.host.plugins).toEqual([]);
    expect(() => rig.host.plugin('tested')).toThrow(expect.objectContaining({ code: 'PLUGIN_NOT_FOUND' }));
    expect((await rejection(plugin.start())).code).toBe('PLUGIN_NOT_FOUND');
    expect((await rejection(plugin.call('x'))).code).toBe('PLUGIN_NOT_FOUND');
    expect((await rejection(rig.host.uninstall('tested'))).code).toBe('PLUGIN_NOT_FOUND');
    expect(await rig.host.install(source)).not.toBe(plugin);
  });

  test('a start that was under way launches nothing', async () => {
    const rig = createRig();
    const { plugin, workers } = await installFake(rig);
    const starting = rejection(plugin.start());
    await rig.host.uninstall('tested');
    expect(['START_FAILED', 'PLUGIN_NOT_FOUND']).toContain((await starting).code);
    expect(workers).toHaveLength(0);
  });

  test('a hook that fails is logged and does not keep the plugin', async () => {
    const rig = createRig();
    await startFake(rig, {
      plugin: {
        onUninstall: () => {
          throw new Error('it does not want to go');
        },
      },
    });
    await rig.clock.runUntil(rig.host.uninstall('tested'));
    expect(rig.host.plugins).toEqual([]);
    expect(rig.logs.find((line) => line.message.includes('uninstall hook'))?.fields).toMatchObject({
      plugin: 'tested',
      err: { message: expect.stringContaining('want to go') },
    });
  });
});

describe('start and stop', () => {
  test('several starts at once launch one worker; a start of an active plugin does nothing', async () => {
    const rig = createRig();
    const { plugin, workers } = await installFake(rig);
    await Promise.all([plugin.start(), plugin.start(), plugin.start()]);
    await plugin.start();
    expect(workers).toHaveLength(1);
    expect(plugin.state).toBe('active');
    expect(plugin.reason).toBeUndefined();
  });

  test('a start during a stop begins when the stop has ended', async () => {
    const rig = createRig();
    const { plugin, workers } = await startFake(rig);
    const stopping = plugin.stop();
    const starting = plugin.start();
    expect(plugin.state).toBe('stopping');
    await rig.clock.runUntil(stopping);
    await starting;
    expect(plugin.state).toBe('active');
    expect(workers.map((worker) => worker.request.generation)).toEqual([1, 2]);
  });

  test('the last word counts: stop, start, stop, start', async () => {
    const rig = createRig();
    const { plugin, workers } = await startFake(rig);
    const first = plugin.stop();
    const between = rejection(plugin.start());
    const second = plugin.stop();
    expect((await between).code).toBe('START_FAILED');
    await rig.clock.runUntil(Promise.all([first, second]));
    expect(plugin.state).toBe('idle');
    expect(workers).toHaveLength(1);

    const cancelled = rejection(plugin.start());
    const third = plugin.stop();
    const last = plugin.start();
    expect((await cancelled).code).toBe('START_FAILED');
    await third;
    await last;
    expect(plugin.state).toBe('active');
    expect(workers).toHaveLength(2);
  });

  test('a stop before anything was launched keeps it from being launched', async () => {
    const rig = createRig();
    const { plugin, workers } = await installFake(rig);
    const starting = rejection(plugin.start());
    await plugin.stop();
    expect(await starting).toMatchObject({ code: 'START_FAILED', reason: { code: 'STOPPED' } });
    expect(workers).toHaveLength(0);
    expect(plugin.state).toBe('idle');
  });

  test('a stop by a listener that hears of the start', async () => {
    const rig = createRig();
    const { plugin, workers } = await installFake(rig);
    const stops: Promise<void>[] = [];
    const off = rig.host.on('plugin.state', ({ to }) => {
      if (to === 'starting') stops.push(plugin.stop());
    });
    expect((await rejection(plugin.start())).code).toBe('START_FAILED');
    await Promise.all(stops);
    expect(workers).toHaveLength(0);
    expect(plugin.state).toBe('idle');
    off();
    await plugin.start();
    expect(plugin.state).toBe('active');
  });

  test('[launch.transactional-start] a stop during on_load ends the worker', async () => {
    const rig = createRig();
    const { plugin, workers } = await installFake(rig, { plugin: { onLoad: () => new Promise(() => {}) } });
    const starting = rejection(plugin.start());
    await rig.clock.settle();
    expect(plugin.state).toBe('starting');
    await rig.clock.runUntil(plugin.stop());
    expect(await starting).toMatchObject({ code: 'START_FAILED', reason: { code: 'STOPPED' } });
    expect(workers[0]?.terminations).toBe(1);
    expect(plugin.state).toBe('idle');
  });

  test('a grace that is no time is refused', async () => {
    const rig = createRig();
    const { plugin } = await installFake(rig);
    for (const graceMs of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      expect((await rejection(plugin.stop({ graceMs }))).code).toBe('INVALID_ARGUMENT');
      expect((await rejection(rig.host.stop({ graceMs }))).code).toBe('INVALID_ARGUMENT');
    }
  });

  test('a second stop in a hurry shortens the grace of the first, never lengthens it', async () => {
    const rig = createRig();
    const { plugin } = await startFake(rig, { plugin: { methods: { slow: () => new Promise(() => {}) } } });
    const slow = rejection(plugin.call('slow', {}, { timeoutMs: 0 }));
    await rig.clock.settle();
    const first = plugin.stop({ graceMs: 60_000 });
    await rig.clock.advance(1_000);
    const second = plugin.stop({ graceMs: 500 });
    const third = plugin.stop({ graceMs: 90_000 });
    await rig.clock.advance(500);
    await Promise.all([first, second, third]);
    expect(rig.clock.now()).toBe(1_500);
    expect(await slow).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
  });

  test('disable in every state, enable again', async () => {
    const rig = createRig();
    const { plugin } = await installFake(rig);
    await plugin.disable();
    expect(plugin).toMatchObject({ state: 'disabled', reason: { code: 'DISABLED' } });
    expect(await rejection(plugin.start())).toMatchObject({ code: 'INVALID_STATE', message: expect.stringContaining('enable') });
    await plugin.stop();
    expect(plugin.state).toBe('disabled');
    plugin.enable();
    expect(plugin).toMatchObject({ state: 'idle', reason: { code: 'NOT_STARTED' } });
    plugin.enable();

    await plugin.start();
    await rig.clock.runUntil(plugin.disable());
    expect(plugin).toMatchObject({ state: 'disabled', reason: { code: 'DISABLED' } });
    plugin.enable();

    // While it is stopping, and enabled again before that has ended.
    await plugin.start();
    const stopping = plugin.stop();
    const disabling = plugin.disable();
    await rig.clock.runUntil(Promise.all([stopping, disabling]));
    expect(plugin).toMatchObject({ state: 'disabled', reason: { code: 'DISABLED' } });
    plugin.enable();
    await plugin.start();
    const again = plugin.disable();
    plugin.enable();
    await rig.clock.runUntil(again);
    expect(plugin).toMatchObject({ state: 'idle', reason: { code: 'NOT_STARTED' } });

    // While it starts.
    const starting = rejection(plugin.start());
    await rig.clock.runUntil(plugin.disable());
    expect((await starting).code).toBe('START_FAILED');
    expect(plugin.state).toBe('disabled');
  });

  test('the reason of a failed start stays, and a start by hand tries again', async () => {
    const rig = createRig();
    let fails = true;
    const { plugin } = await installFake(rig, {
      plugin: {
        onLoad() {
          if (fails) throw new Error('no database');
        },
      },
    });
    const error = await rig.clock.runUntil(rejection(plugin.start()));
    expect(error).toMatchObject({ code: 'START_FAILED', reason: { code: 'LOAD_FAILED', message: expect.stringContaining('no database') } });
    expect(plugin).toMatchObject({ state: 'quarantined', reason: { code: 'LOAD_FAILED' } });
    expect(rig.host.audit({ kind: 'lifecycle' }).at(-1)).toMatchObject({ from: 'starting', to: 'quarantined', reason: { code: 'LOAD_FAILED' } });
    fails = false;
    await plugin.start();
    expect(plugin.worker?.generation).toBe(2);
  });

  test('the install hook runs once, at the first start; a failing one fails the start', async () => {
    const rig = createRig();
    let calls = 0;
    const { plugin, workers } = await installFake(rig, {
      plugin: {
        onInstall() {
          calls += 1;
          if (calls === 1) throw new Error('not yet');
        },
      },
    });
    expect(await rig.clock.runUntil(rejection(plugin.start()))).toMatchObject({
      code: 'START_FAILED',
      reason: { message: expect.stringContaining('not yet') },
    });
    expect(plugin.state).toBe('quarantined');
    await plugin.start();
    await rig.clock.runUntil(plugin.stop());
    await plugin.start();
    expect(calls).toBe(2);
    expect(workers).toHaveLength(3);
  });

  test('what can never be started here says so by name, and is quarantined', async () => {
    const rig = createRig();
    const noRuntime = await rig.host.install({
      manifest: manifestText({ id: 'no-runtime', more: { runtime: undefined } }),
      manifestFileName: 'manifest.json',
    });
    expect(await rejection(noRuntime.start())).toMatchObject({
      code: 'START_FAILED',
      retryable: false,
      reason: { code: 'SPAWN_FAILED' },
      message: expect.stringContaining('runtime.entry'),
    });
    expect(noRuntime).toMatchObject({ state: 'quarantined', reason: { code: 'SPAWN_FAILED' } });
    const noLauncher = await rig.host.install({ manifest: manifestText({ id: 'no-launcher' }), manifestFileName: 'manifest.json' });
    expect((await rejection(noLauncher.start())).message).toContain('no launcher');
  });

  test.each([
    ['sandbox', 'process', false],
    ['process', 'none', false],
    ['process', 'sandbox', true],
    ['none', 'external', true],
    ['sandbox', 'external', false],
    ['process', 'process', true],
  ] as const)('min_isolation %s with a launcher of %s: %s', async (wanted, given, startable) => {
    const rig = createRig();
    const { plugin } = await installFake(rig, { more: { min_isolation: wanted }, launcher: { isolation: given } });
    if (startable) {
      await plugin.start();
      expect(plugin.worker?.isolation).toBe(given);
    } else {
      expect(await rejection(plugin.start())).toMatchObject({
        code: 'START_FAILED',
        retryable: false,
        reason: { code: 'ISOLATION_UNAVAILABLE', message: expect.stringContaining(wanted) },
      });
      expect(plugin.reason?.code).toBe('ISOLATION_UNAVAILABLE');
    }
  });
});

describe('the end of a host', () => {
  test('[host.stop-leaves-nothing] stops all plugins, twice if asked twice; afterwards everything is refused by name', async () => {
    const rig = createRig();
    const { plugin, workers, source } = await startFake(rig);
    const other = await startFake(rig, { id: 'other' });
    await rig.clock.runUntil(Promise.all([rig.host.stop(), rig.host.stop()]));
    await rig.host.stop();
    expect([plugin.state, other.plugin.state]).toEqual(['idle', 'idle']);
    expect(plugin.reason?.code).toBe('HOST_STOPPED');
    expect(workers[0]?.terminations).toBe(0);
    expect((await rejection(plugin.start())).code).toBe('HOST_STOPPED');
    expect((await rejection(plugin.call('x'))).code).toBe('HOST_STOPPED');
    expect((await rejection(rig.host.install(source))).code).toBe('HOST_STOPPED');
    expect((await rejection(rig.host.events.publish('a.b'))).code).toBe('HOST_STOPPED');
    expect(() => rig.host.events.subscribe('a.*', () => {})).toThrow(expect.objectContaining({ code: 'HOST_STOPPED' }));
    expect(rig.clock.pendingTimers).toBe(0);
  });

  test('during a start, whichever step it has come to', async () => {
    for (const turns of [0, 1, 2, 3, 5, 8]) {
      const rig = createRig();
      const { plugin, workers } = await installFake(rig);
      const starting = plugin.start().then(
        () => 'started',
        (error: { code: string }) => error.code,
      );
      for (let turn = 0; turn < turns; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
      await rig.clock.runUntil(rig.host.stop());
      expect(['started', 'START_FAILED', 'HOST_STOPPED']).toContain(await starting);
      expect(plugin.state).toBe('idle');
      await rig.clock.settle();
      for (const worker of workers) expect(worker.connection.send([])).toBe(false);
      expect(rig.clock.pendingTimers).toBe(0);
    }
  });

  test('during an install from a path', async () => {
    const reading = gate<{ manifest: string; manifestFileName: string }>();
    const rig = createRig({ readSource: () => reading.promise });
    const installing = rejection(rig.host.install('a/path'));
    await rig.host.stop();
    reading.open({ manifest: manifestText(), manifestFileName: 'manifest.json' });
    expect((await installing).code).toBe('HOST_STOPPED');
  });

  test('with a worker that ignores everything but SIGKILL', async () => {
    const rig = createRig();
    const { workers } = await startFake(rig, {
      behaviour: runs(definePlugin({ onUnload: () => new Promise(() => {}) }), { exits: false }),
      launcher: { ignoresTermination: true },
    });
    await rig.clock.runUntil(rig.host.stop());
    expect(workers[0]).toMatchObject({ terminations: 1, kills: 1 });
    // on_unload 10 s, exit 2 s, SIGTERM 5 s.
    expect(rig.clock.now()).toBe(17_000);
  });
});
