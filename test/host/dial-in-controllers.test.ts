import { describe, expect, onTestFinished, test } from 'vitest';
import { type Controller, connectController } from '../../src/host/connect-controller.js';
import type { IssuedToken } from '../../src/host/dial-in/tokens.js';
import type { DialRig } from './dial-in-support.js';
import { answerTo, createDialRig, rawDial } from './dial-in-support.js';
import { gate, type InstallParts, type RigOptions, rejection, startFake } from './support.js';

async function connect(rig: DialRig, issued: IssuedToken): Promise<Controller> {
  const controller = await connectController(rig.dial()[1], { token: issued.token, platform: rig.platform });
  onTestFinished(() => controller.close());
  return controller;
}

async function prepare(parts: InstallParts = {}, options: RigOptions = {}) {
  const rig = await createDialRig(options);
  const installed = await startFake(rig, parts);
  const issued = rig.host.issueToken({ role: 'controller', plugins: ['tested', 'absent'], name: 'java-core' });
  return { rig, ...installed, issued, controller: await connect(rig, issued) };
}

const controllerHello = {
  versions: [1],
  role: 'controller' as const,
  sdk: { name: 'c', version: '0', language: 'test' },
  features: [],
  requiredFeatures: [],
};

describe('a controller', () => {
  test('[dialin.controllers] lists and calls the plugins of its token; options go on to the plugin', async () => {
    const seen: unknown[] = [];
    const { rig, controller } = await prepare({
      plugin: {
        methods: {
          async work(params, ctx) {
            seen.push({ params, key: ctx.idempotencyKey, left: ctx.remainingMs });
            await ctx.progress(0.5, 'half');
            return { done: true };
          },
        },
      },
    });
    expect(await controller.plugins()).toEqual([{ id: 'tested', version: '1.0.0', state: 'active' }]);
    const steps: unknown[] = [];
    const result = await controller.call(
      'tested',
      'work',
      { a: 1 },
      { timeoutMs: 1_234, idempotencyKey: 'k1', onProgress: (step) => steps.push(step) },
    );
    expect(result).toEqual({ done: true });
    expect(seen).toMatchObject([{ params: { a: 1 }, key: 'k1' }]);
    expect(steps).toMatchObject([{ fraction: 0.5, message: 'half' }]);
    expect(await controller.call('tested', 'work', { a: 1 }, { idempotencyKey: 'k1' })).toEqual({ done: true });
    expect(seen).toHaveLength(1);
    expect(rig.host.audit({ kind: 'calls' })).toMatchObject([{ pluginId: 'tested', method: 'work', allowed: 2, controller: 'java-core' }]);
    expect(rig.host.audit({ kind: 'controller' })).toMatchObject([{ action: 'connected', controller: 'java-core', peer: 'memory:peer-1' }]);
  });

  test('[dialin.controllers] may allow a call more time than a timer can wait, up to 2^53 ms', async () => {
    const rig = await createDialRig();
    await startFake(rig, {
      plugin: {
        methods: { echo: (params) => params },
        streams: {
          async *each(params) {
            yield params;
          },
        },
      },
    });
    const { token } = rig.host.issueToken({ role: 'controller', plugins: ['tested'] });
    const { peer } = rawDial(rig, { ...controllerHello, token });
    await rig.clock.settle();
    const params = { plugin: 'tested', method: 'echo', params: 7 };
    peer.send(
      { kind: 'request', id: 1, method: 'plugins.call', params, deadlineMs: 2 ** 31 },
      { kind: 'request', id: 3, method: 'plugins.call', params, deadlineMs: 2 ** 53 },
      { kind: 'request', id: 5, method: 'plugins.stream', flags: 2, params: { ...params, method: 'each' }, deadlineMs: 2 ** 53 },
    );
    await rig.clock.settle();
    const answers = peer.of('response').sort((left, right) => left.id - right.id);
    expect(answers.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    expect(answers[0]).toMatchObject({ result: 7 });
    expect(peer.of('item')).toMatchObject([{ id: 5, value: 7 }]);
  });

  test('[dialin.controllers] streams both ways, under credit, and a cancel reaches the plugin', async () => {
    const { rig, controller, plugin } = await prepare({
      plugin: {
        streams: {
          async *double(_params, ctx) {
            for await (const item of ctx.items) yield (item as number) * 2;
            return 'end';
          },
          async *flood() {
            for (let n = 0; ; n += 1) yield { n, text: 'x'.repeat(10_000) };
          },
        },
      },
    });
    const input = (async function* () {
      yield 1;
      yield 2;
    })();
    const stream = controller.stream('tested', 'double', {}, { input });
    const items: unknown[] = [];
    for await (const item of stream) items.push(item);
    expect(items).toEqual([2, 4]);
    await expect(stream.result).resolves.toBe('end');
    const flood = controller.stream('tested', 'flood');
    for await (const item of flood) if ((item as { n: number }).n === 3) break;
    await rig.clock.settle();
    expect(plugin.worker?.callsInFlight).toBe(0);
    expect(await rejection(flood.result as Promise<unknown>)).toMatchObject({ code: 'CANCELLED' });
  });

  test('[dialin.controllers] deadline, cancel and the end of the controller end its calls', async () => {
    const aborted: string[] = [];
    const { rig, controller, plugin } = await prepare({
      plugin: {
        methods: {
          wait: (params, ctx) =>
            new Promise((_resolve, reject) => {
              ctx.signal.addEventListener('abort', () => {
                aborted.push(String(params));
                reject(new Error('aborted'));
              });
            }),
        },
      },
    });
    const timed = rejection(controller.call('tested', 'wait', 'timed', { timeoutMs: 500 }));
    await rig.clock.advance(500);
    expect(await timed).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const abort = new AbortController();
    const cancelled = rejection(controller.call('tested', 'wait', 'cancelled', { signal: abort.signal }));
    await rig.clock.settle();
    abort.abort();
    expect(await cancelled).toMatchObject({ code: 'CANCELLED' });
    const left = rejection(controller.call('tested', 'wait', 'left', { timeoutMs: 0 }));
    await rig.clock.settle();
    await controller.close();
    expect(await left).toMatchObject({ code: 'HOST_LOST' });
    await rig.clock.settle();
    expect(aborted).toEqual(['timed', 'cancelled', 'left']);
    expect(plugin.worker?.callsInFlight).toBe(0);
    expect(rig.host.audit({ kind: 'controller' })).toMatchObject([{ action: 'connected' }, { action: 'left', reason: 'The controller leaves.' }]);
  });

  test('[dialin.controllers] reaches neither other plugins, nor the methods of the runtime, nor the services of the host', async () => {
    const { rig, controller, plugin } = await prepare({ plugin: { methods: { echo: (params) => params } } });
    await startFake(rig, { id: 'secret', plugin: { methods: { echo: () => 'secret' } } });
    const denied = [
      await rejection(controller.call('secret', 'echo')),
      await rejection(controller.call('absent', 'echo')),
      await rejection(controller.call('__proto__', 'echo')),
      await rejection(controller.stream('secret', 'echo').result as Promise<unknown>),
    ];
    expect(denied.map(({ code }) => code)).toEqual(Array(4).fill('PLUGIN_NOT_FOUND'));
    expect(denied[0]?.message.replace('secret', 'absent')).toBe(denied[1]?.message);
    for (const method of ['plugin.unload', 'plugin.load', 'events.deliver', 'grants.changed', 'plugin.uninstall'])
      expect(await rejection(controller.call('tested', method, {}))).toMatchObject({
        code: 'METHOD_NOT_FOUND',
        message: expect.stringMatching(/reserved/),
      });
    expect(plugin.state).toBe('active');
    const { peer } = rawDial(rig, { ...controllerHello, token: rig.host.issueToken({ role: 'controller', plugins: ['tested'] }).token });
    await rig.clock.settle();
    const methods = ['events.publish', 'config.get', 'plugins.stop', 'plugins.call', 'plugins.call', 'plugins.call'];
    const params: unknown[] = [{ topic: 'a' }, {}, {}, undefined, [], { plugin: 'tested', method: 5 }];
    methods.forEach((method, index) => {
      peer.send({ kind: 'request', id: 2 * index + 1, method, params: params[index] });
    });
    peer.send({ kind: 'request', id: 21, method: 'plugins.list', params: {}, actingFor: 'secret' });
    peer.send({ kind: 'request', id: 23, method: 'plugins.call', params: { plugin: 'tested', method: 'echo' }, flags: 2 });
    await rig.clock.settle();
    expect(peer.of('response').map(({ error }) => error?.code)).toEqual([
      ...Array(3).fill('METHOD_NOT_FOUND'),
      ...Array(3).fill('INVALID_PARAMS'),
      'INVALID_ARGUMENT',
      'INVALID_ARGUMENT',
    ]);
    peer.close();
    // One record says that it tried, however often it did.
    expect(rig.host.audit({ kind: 'controller' }).filter((record) => record.kind === 'controller' && record.action === 'refused')).toMatchObject([
      { controller: 'java-core', reason: 'It wanted to call "secret", which its token does not name.' },
    ]);
  });

  test('[dialin.controllers] its idempotency keys are its own', async () => {
    let runs = 0;
    const { rig, controller, plugin } = await prepare({ plugin: { methods: { count: () => ++runs } } });
    const other = await connect(rig, rig.host.issueToken({ role: 'controller', plugins: ['tested'] }));
    const options = { idempotencyKey: 'order-42' };
    expect(await controller.call('tested', 'count', {}, options)).toBe(1);
    expect(await other.call('tested', 'count', {}, options)).toBe(2);
    expect(await plugin.call('count', {}, options)).toBe(3);
    expect(await controller.call('tested', 'count', {}, options)).toBe(1);
  });

  test('[dialin.controllers] is bounded in number and in calls', async () => {
    const held = gate();
    const { rig, controller } = await prepare(
      { plugin: { methods: { hold: () => held.promise } } },
      { dialIn: { maxControllers: 2, maxCallsPerController: 3 }, limits: { maxConcurrency: 100 } },
    );
    const second = await connect(rig, rig.host.issueToken({ role: 'controller', plugins: ['tested'] }));
    const third = rig.host.issueToken({ role: 'controller', plugins: ['tested'] });
    expect(await answerTo(rig, { ...controllerHello, token: third.token })).toBe('OVERLOADED');
    await second.close();
    expect(await answerTo(rig, { ...controllerHello, token: third.token })).toBe('welcome');
    const calls = Array.from({ length: 5 }, () =>
      controller.call('tested', 'hold').then(
        () => 'ok',
        (error: { code: string }) => error.code,
      ),
    );
    await rig.clock.settle();
    held.open();
    expect(await Promise.all(calls)).toEqual(['ok', 'ok', 'ok', 'OVERLOADED', 'OVERLOADED']);
  });

  test('[dialin.controllers] is gone when its token is revoked, when it falls silent, and when the host stops', async () => {
    const { rig, controller, issued } = await prepare();
    rig.host.revokeToken(issued.id, { by: 'ada' });
    expect(await controller.ended).toBe('The token was revoked.');
    const silent = rawDial(rig, { ...controllerHello, token: rig.host.issueToken({ role: 'controller', plugins: [] }).token });
    await rig.clock.advance(30_000);
    expect(silent.peer.of('ping').length).toBeGreaterThan(1);
    expect(silent.peer.closed).toBeDefined();
    const last = await connect(rig, rig.host.issueToken({ role: 'controller', plugins: ['tested'] }));
    await rig.clock.runUntil(rig.host.stop());
    expect(await last.ended).toBe('The host is stopping.');
  });

  test('[dialin.controllers] says no plugin of itself, and a token is good for one connection', async () => {
    const { rig, issued } = await prepare();
    const { token } = rig.host.issueToken({ role: 'controller', plugins: ['tested'] });
    expect(await answerTo(rig, { ...controllerHello, plugin: { id: 'tested', version: '1.0.0' }, token })).toBe('HANDSHAKE_INVALID');
    expect(await answerTo(rig, { ...controllerHello, token: issued.token })).toBe('UNAUTHENTICATED');
    expect(await answerTo(rig, { ...controllerHello, requiredFeatures: ['resume'], token })).toBe('MISSING_FEATURE');
    expect(await answerTo(rig, { ...controllerHello, token })).toBe('welcome');
  });

  test('[dialin.controllers] reads of a plugin that is not active what it may do about it, and nothing that its worker printed', async () => {
    const { controller, plugin, rig } = await prepare();
    await rig.clock.runUntil(plugin.stop({ reason: 'Over for today.' }));
    expect(await controller.plugins()).toEqual([
      {
        id: 'tested',
        version: '1.0.0',
        state: 'idle',
        reason: { code: 'STOPPED', message: 'Over for today.', since: expect.any(String), action: expect.any(String) },
      },
    ]);
    expect(await rejection(controller.call('tested', 'echo'))).toMatchObject({ code: 'WORKER_UNAVAILABLE', retryable: true });
  });
});
