import { describe, expect, test } from 'vitest';
import type { Plugin as PluginHandle } from '../../src/host/plugin.js';
import type { HelloFields } from '../../src/messages/message.js';
import type { WorkerState } from '../../src/worker/worker-table.js';
import { seededFraction } from '../../transports/memory/seeded-fraction.js';
import { answerTo, createDialRig, type DialRig, installExternal, RemoteWorker, rawDial } from './dial-in-support.js';
import { allow, gate, type RigOptions, rejection } from './support.js';

interface Connected {
  readonly rig: DialRig;
  readonly plugin: PluginHandle;
  readonly remote: RemoteWorker;
  readonly hello: HelloFields;
  readonly states: [number, WorkerState][];
}

async function connect(
  options: RigOptions = {},
  parts: Parameters<typeof installExternal>[1] = {},
  prepare?: (remote: RemoteWorker) => void,
): Promise<Connected> {
  const rig = await createDialRig(options);
  const { plugin, hello } = await installExternal(rig, { install: { limits: { maxConcurrency: 2_000 } }, ...parts });
  const states: [number, WorkerState][] = [];
  rig.host.on('worker.state', ({ generation, to }) => states.push([generation, to]));
  const remote = new RemoteWorker(rig, { ...hello, token: rig.host.issueToken({ plugin: 'tested' }).token });
  remote.methods.echo = (call) => call.params;
  prepare?.(remote);
  await remote.connect();
  await rig.clock.settle();
  expect(plugin.state).toBe('active');
  return { rig, plugin, remote, hello, states };
}

const outcomes = (rig: DialRig): string[] => rig.host.audit({ kind: 'dial-in' }).map((record) => (record.kind === 'dial-in' ? record.outcome : ''));

describe('a dialled-in worker whose connection is lost', () => {
  test('[session.resume] is disconnected, with reason and action, and ready again when it comes back; its plugin stays active', async () => {
    const { rig, plugin, remote, states } = await connect();
    const held = gate();
    remote.methods.hold = () => held.promise.then(() => 'done');
    const call = plugin.call('hold');
    await rig.clock.settle();
    await remote.cut();
    expect(plugin.state).toBe('active');
    expect(plugin.worker).toMatchObject({ state: 'disconnected', generation: 1 });
    expect(plugin.reason).toMatchObject({
      code: 'DISCONNECTED',
      since: expect.any(String),
      action: expect.stringMatching(/^Wait for the worker to dial in again/),
    });
    expect(await rejection(plugin.call('echo', 1))).toMatchObject({
      code: 'WORKER_UNAVAILABLE',
      retryable: true,
      mayHaveRun: false,
      reason: { code: 'DISCONNECTED' },
    });
    // No ping is sent, and no answer missed, while there is nobody to answer.
    await rig.clock.advance(25_000);
    held.open();
    const answer = await remote.resume();
    expect(answer).toMatchObject({ session: remote.welcome.session, generation: 1, features: ['resume'], resumed: { received: expect.any(Number) } });
    await expect(call).resolves.toBe('done');
    expect(plugin.worker).toMatchObject({ state: 'ready', generation: 1, description: 'dialled in from memory:peer-2' });
    expect(plugin.reason).toBeUndefined();
    await expect(plugin.call('echo', 1)).resolves.toBe(1);
    expect(states).toEqual([
      [1, 'ready'],
      [1, 'disconnected'],
      [1, 'ready'],
    ]);
    expect(outcomes(rig)).toEqual(['registered', 'resumed']);
  });

  test.each([1, 2, 3, 4])('[session.resume] in the middle of five hundred calls, every one runs and settles once (seed %i)', async (seed) => {
    const { rig, plugin, remote } = await connect();
    const fraction = seededFraction(seed);
    const runs = new Map<number, number>();
    remote.methods.work = async (call) => {
      const { n } = call.params as { n: number };
      runs.set(n, (runs.get(n) ?? 0) + 1);
      if (n % 3 === 0) await new Promise<void>((resolve) => rig.clock.setTimer(5, resolve));
      return { n, text: 'x'.repeat(n % 300) };
    };
    let settled = 0;
    const calls = Array.from({ length: 500 }, (_, n) =>
      plugin.call('work', { n, text: 'y'.repeat(n % 200) }).finally(() => {
        settled += 1;
      }),
    );
    for (let cuts = 0; cuts < 20; cuts += 1) {
      await Promise.resolve();
      remote.pair.faults[cuts % 2 === 0 ? 0 : 1].cut({ deliverBytes: Math.floor(fraction() * 4_000) });
      await rig.clock.settle();
      expect(plugin.worker?.state).toBe('disconnected');
      if (fraction() < 0.5) await rig.clock.advance(Math.floor(fraction() * 50));
      await remote.resume();
      expect(plugin.worker?.state).toBe('ready');
    }
    await rig.clock.advance(1_000);
    await expect(Promise.all(calls)).resolves.toEqual(Array.from({ length: 500 }, (_, n) => ({ n, text: 'x'.repeat(n % 300) })));
    expect(settled).toBe(500);
    expect([...runs.values()].every((count) => count === 1)).toBe(true);
    expect(runs.size).toBe(500);
  });

  test('[session.resume] while it is being loaded, goes on being loaded', async () => {
    const loading = gate();
    const rig = await createDialRig();
    const { plugin, hello } = await installExternal(rig);
    const remote = new RemoteWorker(rig, { ...hello, token: rig.host.issueToken({ plugin: 'tested' }).token });
    remote.onLoad = () => loading.promise;
    await remote.connect();
    await rig.clock.settle();
    await remote.cut();
    expect(plugin.state).toBe('starting');
    loading.open();
    await remote.resume();
    expect(plugin.state).toBe('active');
    expect(plugin.worker?.state).toBe('ready');
  });

  test('[session.resume] between being loaded and being installed, is waited for', async () => {
    const rig = await createDialRig();
    const { plugin, hello } = await installExternal(rig);
    const remote = new RemoteWorker(rig, { ...hello, token: rig.host.issueToken({ plugin: 'tested' }).token });
    const installing = gate();
    let installs = 0;
    remote.methods['plugin.install'] = () => {
      installs += 1;
      return installing.promise;
    };
    await remote.connect();
    await rig.clock.settle();
    await remote.cut();
    expect(plugin).toHaveProperty('state', 'starting');
    installing.open();
    await rig.clock.settle();
    await remote.resume();
    expect(plugin).toHaveProperty('state', 'active');
    expect(plugin.worker).toMatchObject({ generation: 1, state: 'ready' });
    expect(installs).toBe(1);
  });

  test('[session.resume] lost in the very turn in which it was loaded, is disconnected and comes back', async () => {
    const rig = await createDialRig();
    const { plugin, hello } = await installExternal(rig);
    const remote = new RemoteWorker(rig, { ...hello, token: rig.host.issueToken({ plugin: 'tested' }).token });
    remote.onLoad = () => {
      // The answer still arrives, and in the same breath the end.
      rig.clock.endOfTurn(() => rig.clock.endOfTurn(() => remote.pair.faults[1].cut()));
      return {};
    };
    await remote.connect();
    await rig.clock.settle();
    expect(plugin.worker?.state).toBe('disconnected');
    await remote.resume();
    expect(plugin).toHaveProperty('state', 'active');
    expect(plugin.worker).toMatchObject({ state: 'ready', generation: 1 });
  });

  test('[session.resume] a network that swallows everything is taken for a lost connection, not for a dead worker', async () => {
    const { rig, plugin, remote } = await connect();
    const call = plugin.call('echo', 'late', { timeoutMs: 60_000 });
    remote.pair.faults[0].stall();
    await rig.clock.advance(25_000);
    expect(plugin.worker).toMatchObject({ state: 'disconnected', generation: 1 });
    expect(plugin.reason?.message).toMatch(/answered no ping/);
    await remote.resume();
    await expect(call).resolves.toBe('late');
  });

  test('[dialin.fresh-session] that does not come back in time loses its calls, and may begin anew; callers and subscriptions go on', async () => {
    const { rig, plugin, remote, states } = await connect(
      { rules: [allow('events.subscribe', { topics: ['news.**'] })] },
      { requests: [{ capability: 'events.subscribe', topics: ['news.**'] }] },
      (made) => {
        made.onLoad = (session) => session.call('events.subscribe', { pattern: 'news.**' }).then(() => ({ events: ['news.**'] }));
        made.methods.never = () => new Promise(() => {});
      },
    );
    const call = rejection(plugin.call('never', 1, { timeoutMs: 0 }));
    await rig.clock.settle();
    await remote.cut();
    await rig.clock.advance(29_999);
    expect(plugin.worker?.state).toBe('disconnected');
    await rig.clock.advance(1);
    expect(await call).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true, reason: { code: 'DISCONNECTED' } });
    // Nobody has to do anything about it: the next worker starts it.
    expect(plugin).toMatchObject({ state: 'idle', worker: undefined, reason: { code: 'DISCONNECTED' } });
    expect(await rejection(plugin.call('echo', 1))).toMatchObject({ code: 'WORKER_UNAVAILABLE', reason: { code: 'DISCONNECTED' } });
    await rig.host.events.publish('news.missed', 1);

    const former = remote.welcome;
    const welcome = await remote.connect(remote.resumeHello());
    await rig.clock.settle();
    expect(welcome).toMatchObject({ generation: 2, resumed: undefined });
    expect(welcome.session).not.toBe(former.session);
    expect(welcome.resume?.token).not.toBe(former.resume?.token);
    expect(plugin).toMatchObject({ state: 'active', worker: { generation: 2, state: 'ready' } });
    await expect(plugin.call('echo', 2)).resolves.toBe(2);
    await rig.host.events.publish('news.today', 2);
    await rig.clock.settle();
    expect(remote.oneWays).toMatchObject([{ method: 'events.deliver', params: { topic: 'news.today', missed: 1 } }]);
    expect(outcomes(rig)).toEqual(['registered', 'renewed']);
    expect(states.map(([generation, to]) => `${generation} ${to}`)).toEqual(['1 ready', '1 disconnected', '1 stopping', '1 exited', '2 ready']);
  });

  test('[dialin.fresh-session] that has kept too little, or asks for it, begins anew at once, also while its old connection is open', async () => {
    const { rig, plugin, remote } = await connect();
    const call = rejection(plugin.call('echo', 1));
    const anew = await remote.connect(remote.resumeHello({ session: '' }));
    await rig.clock.settle();
    expect(anew.generation).toBe(2);
    expect(await call).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
    expect(plugin.worker).toMatchObject({ generation: 2, state: 'ready' });
    // A count that cannot be is not one to go on from.
    const impossible = await remote.connect(remote.resumeHello({ received: 1_000_000 }));
    await rig.clock.settle();
    expect(impossible).toMatchObject({ generation: 3, resumed: undefined });
    expect(plugin.worker).toMatchObject({ generation: 3, state: 'ready' });
    await expect(plugin.call('echo', 3)).resolves.toBe(3);
  });

  test('[dialin.fresh-session] without the feature it is simply lost, and a new token brings the next', async () => {
    const rig = await createDialRig();
    const { plugin, hello } = await installExternal(rig);
    const remote = new RemoteWorker(rig, { ...hello, features: [], token: rig.host.issueToken({ plugin: 'tested' }).token });
    expect((await remote.connect()).resume).toBeUndefined();
    await rig.clock.settle();
    remote.methods.never = () => new Promise(() => {});
    const call = rejection(plugin.call('never'));
    await rig.clock.settle();
    const before = rig.clock.now();
    await remote.cut();
    expect(await call).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true, reason: { code: 'DISCONNECTED' } });
    expect(rig.clock.now()).toBe(before);
    expect(plugin.state).toBe('idle');
    const next = new RemoteWorker(rig, { ...hello, token: rig.host.issueToken({ plugin: 'tested' }).token });
    await next.connect();
    await rig.clock.settle();
    expect(plugin.worker?.generation).toBe(2);
  });

  test('[dialin.fresh-session] plugin.start waits for it, whether it resumes or begins anew', async () => {
    const { rig, plugin, remote } = await connect();
    await remote.cut();
    const resumed = plugin.start();
    await rig.clock.settle();
    await remote.resume();
    await resumed;
    await remote.cut();
    const renewed = plugin.start();
    await rig.clock.advance(30_000);
    expect(plugin.state).toBe('starting');
    await remote.connect(remote.resumeHello());
    await rig.clock.runUntil(renewed);
    expect(plugin.worker).toMatchObject({ state: 'ready' });
  });
});

describe('who may resume', () => {
  test('[session.generation-fencing] a worker of an older generation may not, whatever it knows', async () => {
    const { rig, plugin, remote, hello } = await connect();
    const old = remote.resumeHello();
    await remote.cut();
    await rig.clock.advance(30_000);
    const next = new RemoteWorker(rig, { ...hello, token: rig.host.issueToken({ plugin: 'tested' }).token });
    await next.connect();
    await rig.clock.settle();
    expect(plugin.worker?.generation).toBe(2);
    expect(await answerTo(rig, old)).toBe('UNAUTHENTICATED');
    expect(await answerTo(rig, { ...old, resume: { ...(old.resume as never as { token: string; received: number }), session: '' } })).toBe(
      'UNAUTHENTICATED',
    );
    expect(plugin.worker).toMatchObject({ generation: 2, state: 'ready' });
  });

  test('[session.generation-fencing] when it resumes while its old connection is open, nothing that comes by the old one counts', async () => {
    const { rig, plugin, remote } = await connect();
    const old = remote.pair;
    const call = plugin.call('echo', 1);
    await Promise.resolve();
    await remote.resume();
    await expect(call).resolves.toBe(1);
    old[1].send([Uint8Array.of(0, 0, 0, 1, 0xc1)]);
    await rig.clock.settle();
    expect(plugin.worker).toMatchObject({ state: 'ready', generation: 1 });
    await expect(plugin.call('echo', 2)).resolves.toBe(2);
  });

  test('[session.generation-fencing] of two connections that race to resume the later one holds the session', async () => {
    const { rig, plugin, remote } = await connect();
    const call = plugin.call('echo', 'kept', { timeoutMs: 0 });
    await remote.cut();
    const hello = remote.resumeHello();
    const first = rawDial(rig, hello);
    const second = rawDial(rig, hello);
    await rig.clock.settle();
    expect(second.peer.of('welcome')).toMatchObject([{ fields: { generation: 1, resumed: {} } }]);
    expect(first.peer.closed).toBeDefined();
    expect(second.peer.closed).toBeUndefined();
    expect(plugin.worker?.state).toBe('ready');
    // The call was sent again over each, and the true worker still gets it.
    await remote.resume();
    await expect(call).resolves.toBe('kept');
    expect(second.peer.closed).toBeDefined();
  });

  test('[session.generation-fencing] another worker may not, with its own secret or a session id that it has heard of', async () => {
    const { rig, plugin, remote } = await connect();
    const { hello } = await installExternal(rig, { id: 'thief' });
    const thief = new RemoteWorker(rig, { ...hello, token: rig.host.issueToken({ plugin: 'thief' }).token });
    await thief.connect();
    await rig.clock.settle();
    await remote.cut();
    const { session } = remote.welcome;
    const attempts = [
      thief.resumeHello({ session }),
      { ...thief.resumeHello({ session }), plugin: remote.hello.plugin, manifestDigest: remote.hello.manifestDigest },
      { ...thief.resumeHello(), plugin: remote.hello.plugin },
      { ...remote.resumeHello(), plugin: hello.plugin },
      { ...remote.resumeHello({ session: 'another' }) },
      { ...remote.resumeHello(), manifestDigest: 'b'.repeat(64) },
      { ...remote.resumeHello({ token: remote.hello.token ?? '' }) },
    ];
    for (const attempt of attempts) expect(await answerTo(rig, attempt as HelloFields)).toBe('UNAUTHENTICATED');
    expect(plugin.worker?.state).toBe('disconnected');
    expect(rig.host.plugin('thief').worker?.state).toBe('ready');
    await remote.resume();
    expect(plugin.worker).toMatchObject({ state: 'ready', generation: 1 });
  });

  test('[session.generation-fencing] nobody, once the plugin was stopped: its worker does not bring it back', async () => {
    const { rig, plugin, remote } = await connect();
    const hello = remote.resumeHello();
    await remote.cut();
    await rig.clock.runUntil(plugin.stop());
    expect(plugin.state).toBe('idle');
    expect(await answerTo(rig, hello)).toBe('UNAUTHENTICATED');
    expect(plugin.state).toBe('idle');
  });

  test('[dialin.fresh-session] a worker that connects again and again is told to wait', async () => {
    const { rig, plugin, remote } = await connect({ dialIn: { maxConnectsPerMinute: 3 } });
    for (let times = 0; times < 3; times += 1) expect(await remote.resume()).toMatchObject({ resumed: {} });
    expect(await remote.resume()).toMatchObject({ code: 'OVERLOADED' });
    expect(plugin.worker?.state).toBe('ready');
    await rig.clock.advance(60_000);
    expect(await remote.resume()).toMatchObject({ resumed: {} });
  });
});

describe('stopping', () => {
  test('[dialin.stops-clean] a host with suspended workers, waiting plugins, silent peers and listeners leaves nothing', async () => {
    const { rig, plugin, remote, hello } = await connect();
    const { plugin: waiting } = await installExternal(rig, { id: 'waiting' });
    const starting = rejection(waiting.start());
    const silent = rawDial(rig, undefined);
    const call = rejection(plugin.call('echo', 1));
    await remote.cut();
    const before = rig.clock.now();
    await rig.clock.runUntil(rig.host.stop());
    expect(rig.clock.now() - before).toBeLessThan(5_100);
    expect(await call).toMatchObject({ code: 'WORKER_LOST' });
    expect(await starting).toMatchObject({ code: 'START_FAILED' });
    await rig.clock.settle();
    expect(silent.peer.closed).toBeDefined();
    expect(await answerTo(rig, hello)).toBe('closed');
    expect(await rejection(rig.host.listen({} as never, 'x'))).toMatchObject({ code: 'HOST_STOPPED' });
    remote.session.abort('over');
    expect(rig.clock.pendingTimers).toBe(0);
  });

  test('[session.resume] a worker that is cut off while its plugin is stopped may still finish what it is at', async () => {
    const { rig, plugin, remote } = await connect();
    const held = gate();
    remote.methods.hold = () => held.promise.then(() => 'done');
    const call = plugin.call('hold');
    await rig.clock.settle();
    const stopping = plugin.stop({ graceMs: 10_000 });
    await rig.clock.settle();
    await remote.cut();
    await remote.resume();
    expect(plugin.worker?.state).toBe('draining');
    held.open();
    await expect(call).resolves.toBe('done');
    await rig.clock.runUntil(stopping);
    expect(remote.ends).toMatchObject([{ code: 'STOPPED', goodbye: true }]);
    expect(await answerTo(rig, remote.resumeHello())).toBe('UNAUTHENTICATED');
    expect(plugin).toHaveProperty('state', 'idle');
  });

  test('[dialin.stops-clean] a plugin whose worker drains while it is disconnected ends within the grace time', async () => {
    const { rig, plugin, remote } = await connect();
    remote.methods.never = () => new Promise(() => {});
    const call = rejection(plugin.call('never', 1, { timeoutMs: 0 }));
    await rig.clock.settle();
    const stopping = plugin.stop({ graceMs: 1_000 });
    await rig.clock.settle();
    await remote.cut();
    const before = rig.clock.now();
    await rig.clock.runUntil(stopping);
    expect(rig.clock.now() - before).toBeLessThanOrEqual(1_000 + 2_000);
    expect(await call).toMatchObject({ code: 'WORKER_LOST' });
    expect(plugin.state).toBe('idle');
  });

  test('[dialin.stops-clean] a worker that leaves by itself leaves its plugin waiting for the next', async () => {
    const { rig, plugin, remote } = await connect();
    remote.session.drain(1_000, 'It is Sunday.');
    await rig.clock.settle();
    remote.session.close('DRAINED', 'It is Sunday.');
    await rig.clock.settle();
    expect(plugin).toMatchObject({ state: 'idle', reason: { code: 'EXITED', message: 'The worker left by itself: It is Sunday.' } });
  });
});
