import { describe, expect, test } from 'vitest';
import type { HostNotifications } from '../../src/host/notifications.js';
import type { Message } from '../../src/messages/message.js';
import { type RawScript, rawWorker } from '../host/raw-worker.js';
import { createRig, installFake, type Rig, rejection, startFake } from '../host/support.js';

const install = async (script: RawScript, parts: Parameters<typeof installFake>[1] = {}) => {
  const rig = createRig();
  const { behaviour, raw } = rawWorker(script);
  const violations: HostNotifications['worker.violation'][] = [];
  rig.host.on('worker.violation', (notification) => violations.push(notification));
  return { rig, raw, violations, ...(await installFake(rig, { behaviour, ...parts })) };
};
const start = async (script: RawScript = {}, parts: Parameters<typeof installFake>[1] = {}) => {
  const installed = await install(script, parts);
  await installed.plugin.start();
  return installed;
};

async function settleWith(rig: Rig, work: Promise<unknown>): Promise<void> {
  await rig.clock.runUntil(work.catch(() => {}));
}

describe('[handshake.identity] the hello of a launched worker', () => {
  test.each([
    ['another plugin', { plugin: { id: 'another', version: '1.0.0' } }, 'HANDSHAKE_INVALID', /calls itself another/],
    ['another version', { plugin: { id: 'tested', version: '1.0.1' } }, 'HANDSHAKE_INVALID', /tested 1\.0\.1/],
    ['a controller', { role: 'controller' as const }, 'HANDSHAKE_INVALID', /must be a worker/],
    ['no version in common', { versions: [2, 99] }, 'UNSUPPORTED_VERSION', /2, 99/],
    ['a feature that is required', { requiredFeatures: ['time-travel'] }, 'MISSING_FEATURE', /time-travel/],
  ])('%s is rejected, with the reason', async (_, hello, code, sentence) => {
    const { rig, plugin, raw, workers } = await install({ hello });
    const starting = rejection(plugin.start());
    await settleWith(rig, starting);
    expect(await starting).toMatchObject({ code: 'START_FAILED', reason: { code: 'HANDSHAKE_FAILED', message: expect.stringMatching(sentence) } });
    expect(raw[0]?.peer.of('reject')).toMatchObject([{ code }]);
    expect(workers[0]?.terminations).toBe(1);
    expect(plugin).toMatchObject({ state: 'quarantined', reason: { code: 'HANDSHAKE_FAILED' } });
  });

  test('one that does not say who it is is taken for the one that was launched', async () => {
    const { plugin, raw } = await start({ hello: { plugin: undefined as never } });
    expect(plugin.state).toBe('active');
    expect(raw[0]?.peer.of('welcome')[0]?.fields).toMatchObject({
      plugin: { id: 'tested', version: '1.0.0' },
      generation: 1,
      grants: [],
      limits: { maxConcurrency: 10 },
      debug: false,
    });
  });

  test('[launch.limits-named] one that says nothing runs into the limit that the error names', async () => {
    const { rig, plugin, workers } = await install({ hello: null }, { install: { timings: { startTimeoutMs: 700 } } });
    const starting = rejection(plugin.start());
    await settleWith(rig, starting);
    expect(rig.clock.now()).toBe(700);
    expect(await starting).toMatchObject({ reason: { code: 'START_TIMEOUT', message: expect.stringContaining('700 ms (startTimeoutMs)') } });
    expect(workers[0]?.terminations).toBe(1);
  });

  test.each([
    ['a call before the handshake', (): Message => ({ kind: 'request', id: 1, method: 'config.get' })],
    ['a goodbye', (): Message => ({ kind: 'goodbye', code: 'STOPPED' })],
  ])('%s is no hello', async (_, message) => {
    const { rig, plugin, raw } = await install({ hello: null });
    const starting = rejection(plugin.start());
    await rig.clock.settle();
    raw[0]?.peer.send(message());
    await settleWith(rig, starting);
    expect((await starting).reason?.code).toBe('HANDSHAKE_FAILED');
  });

  test('what it calls itself cannot steer a terminal or break a line', async () => {
    const { rig, plugin } = await install({ hello: { plugin: { id: 'x\u001b[2J\nINFO all is well', version: '\u202e1' } } });
    const starting = rejection(plugin.start());
    await settleWith(rig, starting);
    for (const text of [(await starting).message, plugin.reason?.message, JSON.stringify(rig.host.audit())]) {
      expect(text).not.toMatch(/[\u0000-\u001f\u202e]/);
    }
  });
});

describe('what it says about itself', () => {
  test.each([
    ['nothing', null],
    ['a text', 'methods'],
    ['a list', [1, 2]],
    ['wrong types', { methods: 'a', streams: { a: 1 }, events: 5 }],
    [
      'odd entries',
      {
        methods: [1, null, {}, [], 'fine', '', '__proto__', 'with space', '\u001b[2J', 'x'.repeat(300)],
        streams: [],
        events: ['mail.*', '*.**.a', '', 'a b', '\u202e'],
      },
    ],
  ])('%s is kept as far as it makes sense', async (_, load) => {
    const { plugin } = await start({ load });
    expect(plugin.worker?.methods.filter((name) => !['fine', '__proto__'].includes(name))).toEqual([]);
    expect(plugin.worker?.streams).toEqual([]);
    expect(plugin.worker?.events.filter((pattern) => pattern !== 'mail.*')).toEqual([]);
  });

  test('endless lists are cut', async () => {
    const many = Array.from({ length: 40_000 }, (_, index) => `method${index}`);
    const { plugin } = await start({ load: { methods: many, streams: many } });
    expect(plugin.worker?.methods).toHaveLength(1_000);
    expect(plugin.worker?.streams).toHaveLength(1_000);
  });

  test('[plugin.load-hooks] a load that is never answered ends at the time of hooks, and the error names it', async () => {
    const { rig, plugin } = await install(
      { onMessage: (message) => message.kind === 'request' && Object.assign(message, { method: 'nobody.answers' }) },
      { install: { timings: { hookTimeoutMs: 900 } } },
    );
    const starting = rejection(plugin.start());
    await settleWith(rig, starting);
    expect(rig.clock.now()).toBe(900);
    expect(await starting).toMatchObject({ code: 'START_FAILED', reason: { code: 'LOAD_FAILED', message: expect.stringContaining('900 ms') } });
  });
});

describe('a worker that breaks the protocol', () => {
  test('is ended by a protocol error at once: reason, audit, calls in flight', async () => {
    const { rig, plugin, raw, workers, violations } = await start();
    const call = rejection(plugin.call('anything'));
    await rig.clock.settle();
    raw[0]?.peer.sendValues([42, 'no such kind']);
    expect(await call).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true, reason: { code: 'PROTOCOL_ERROR' } });
    await rig.clock.settle();
    expect(rig.clock.now()).toBe(0);
    expect(workers[0]?.kills).toBe(1);
    expect(plugin).toMatchObject({ state: 'quarantined', reason: { code: 'PROTOCOL_ERROR', action: expect.stringContaining('distrust') } });
    expect(rig.host.audit({ kind: 'violation' })).toMatchObject([
      { pluginId: 'tested', code: 'PROTOCOL_ERROR', workerId: workers[0]?.request.workerId },
    ]);
    expect(rig.host.audit({ kind: 'lifecycle' }).at(-1)).toMatchObject({ to: 'quarantined', reason: { code: 'PROTOCOL_ERROR' } });
    expect(violations).toHaveLength(1);
  });

  test('bytes that are no frame end it too, and other plugins do not feel it', async () => {
    const { rig, plugin, raw } = await start();
    const other = await startFake(rig, { id: 'other', plugin: { methods: { echo: (params) => params } } });
    raw[0]?.peer.sendBytes(0xff, 0xff, 0xff, 0xff, 1, 2, 3);
    await rig.clock.settle();
    expect(plugin.reason?.code).toBe('PROTOCOL_ERROR');
    expect(await other.plugin.call('echo', 1)).toBe(1);
  });

  test('[session.foreign-ids] small offences are recorded, and the hundredth ends it', async () => {
    const { rig, plugin, raw } = await start();
    for (let index = 0; index < 99; index += 1) raw[0]?.peer.send({ kind: 'response', id: 1_000 + index * 2, result: 1 });
    await rig.clock.settle();
    expect(plugin.state).toBe('active');
    expect(rig.host.audit({ kind: 'violation' })).toHaveLength(99);
    raw[0]?.peer.send({ kind: 'response', id: 5_000, result: 1 });
    await rig.clock.settle();
    expect(plugin.reason?.code).toBe('PROTOCOL_ERROR');
  });

  test('a flood of requests is refused over the limit, and answered', async () => {
    const { rig, plugin, raw } = await start({}, { install: { limits: { maxIncomingCalls: 4 } } });
    const ids = Array.from({ length: 50 }, (_, index) => 1 + index * 2);
    raw[0]?.peer.send(...ids.map((id): Message => ({ kind: 'request', id, method: 'config.get' })));
    await rig.clock.settle();
    expect(raw[0]?.peer.of('response')).toHaveLength(50);
    expect(plugin.state).toBe('active');
  });

  test('one that does not read is given up before it costs more than its bound', async () => {
    const { rig, plugin, workers } = await start(
      { pongs: true },
      { install: { limits: { maxQueuedBytes: 100_000, maxConcurrency: 1_000 } }, launcher: { highWaterMark: 1_024 } },
    );
    workers[0]!.pair.faults[0].stall();
    const calls = Array.from({ length: 60 }, () => rejection(plugin.call('take', 'x'.repeat(10_000))));
    await rig.clock.settle();
    const codes = new Set(await Promise.all(calls.map(async (call) => (await rig.clock.runUntil(call)).code)));
    expect([...codes].sort()).toEqual(['OVERLOADED', 'WORKER_LOST']);
    expect(['SLOW_READER', 'HEARTBEAT_MISSED']).toContain(plugin.reason?.code);
  });
});

describe('[lifecycle.missed-heartbeat] liveness of a worker', () => {
  test('one that answers no ping is killed, and its calls say so', async () => {
    const { rig, plugin, workers } = await start({ pongs: false });
    const call = rejection(plugin.call('anything', {}, { timeoutMs: 0 }));
    await rig.clock.advance(20_000);
    expect(await call).toMatchObject({ code: 'WORKER_LOST', reason: { code: 'HEARTBEAT_MISSED', message: expect.stringContaining('20000 ms') } });
    expect(workers[0]).toMatchObject({ kills: 1, terminations: 0 });
    expect(plugin.reason?.code).toBe('HEARTBEAT_MISSED');
  });

  test('one that answers pings may take as long as it likes for a call', async () => {
    const { rig, plugin, raw } = await start();
    const call = plugin.call('anything', {}, { timeoutMs: 0 });
    await rig.clock.advance(600_000);
    expect(plugin.state).toBe('active');
    const [request] = raw[0]!.peer.of('request').filter(({ method }) => method === 'anything');
    raw[0]?.peer.send({ kind: 'response', id: request!.id, result: 'late' });
    expect(await call).toBe('late');
  });

  test('a slow connection is no silence', async () => {
    const { rig, plugin, workers } = await start();
    workers[0]!.pair.faults[0].delay(2_000);
    workers[0]!.pair.faults[1].delay(2_500);
    await rig.clock.advance(300_000);
    expect(plugin.state).toBe('active');
    workers[0]!.pair.faults[0].delay(0);
    workers[0]!.pair.faults[1].delay(0);
  });
});
