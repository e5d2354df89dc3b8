import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { UntypedPlugin } from '../../src/plugin/define-plugin.js';
import { defineMethod, defineService, type ServiceCall } from '../../src/services/define-service.js';
import { createRig, gate, rejection, startFake } from './support.js';

const hanging = (): Promise<never> => new Promise(() => {});

/** A service whose one method does what the test says. */
function relayService(handle: (params: Record<string, unknown>, call: ServiceCall) => unknown) {
  return defineService({
    name: 'relay',
    methods: { go: defineMethod({ baseline: 'For tests.', handle: (params: Record<string, unknown>, call) => handle(params, call) }) },
  });
}

/** A plugin whose method `relay` asks the host's service in the course of its call. */
const relaying: UntypedPlugin = {
  methods: {
    relay: (params, ctx) => ctx.call('relay.go', params),
    echo: (params) => params,
    hang: hanging,
  },
  streams: {
    async *ticks() {
      for (let tick = 0; ; tick += 1) yield tick;
    },
  },
};

describe('limits', () => {
  test.each([
    ['official', 25],
    ['community', 10],
    ['unverified', 10],
  ] as const)('[host.limits-by-trust] calls in flight to a plugin that is %s: %i', async (trust, limit) => {
    const rig = createRig();
    const { plugin } = await startFake(rig, { plugin: relaying, install: { trust } });
    const calls = Array.from({ length: limit }, () => rejection(plugin.call('hang', {}, { timeoutMs: 0 })));
    const refused = await rejection(plugin.call('echo'));
    expect(refused).toMatchObject({
      code: 'OVERLOADED',
      retryable: true,
      mayHaveRun: false,
      message: expect.stringMatching(new RegExp(`${limit} calls .*limits\\.maxConcurrency`)),
    });
    expect(() => plugin.stream('ticks')).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
    expect(plugin.worker?.callsInFlight).toBe(limit);
    await rig.clock.runUntil(plugin.stop({ graceMs: 0 }));
    for (const call of calls) expect((await call).code).toBe('WORKER_LOST');
  });

  test('on_unload runs although every place is taken', async () => {
    const rig = createRig();
    const seen: string[] = [];
    const { plugin } = await startFake(rig, {
      plugin: { ...relaying, onUnload: () => void seen.push('unloaded') },
      install: { limits: { maxConcurrency: 1 } },
    });
    const hangs = rejection(plugin.call('hang', {}, { timeoutMs: 0 }));
    await rig.clock.settle();
    await rig.clock.runUntil(plugin.stop({ graceMs: 10 }));
    expect((await hangs).code).toBe('WORKER_LOST');
    expect(seen).toEqual(['unloaded']);
  });

  test.each([
    ['official', {}, undefined, 60_000],
    ['community', {}, undefined, 30_000],
    ['community', { handler_timeout_ms: 2_000 }, undefined, 2_000],
    ['official', { handler_timeout_ms: 900_000 }, undefined, 60_000],
    ['unverified', { handler_timeout_ms: 900_000 }, { handlerTimeoutMs: 90_000 }, 90_000],
    ['unverified', { handler_timeout_ms: 20_000 }, { handlerTimeoutMs: 90_000 }, 20_000],
  ] as const)('[host.limits-by-trust] the default time limit of a call: %s, manifest %o, operator %o', async (trust, asked, limits, expected) => {
    const rig = createRig();
    const { plugin } = await startFake(rig, {
      plugin: relaying,
      install: { trust, ...(limits === undefined ? {} : { limits }) },
      more: { limits: asked },
    });
    const call = rejection(plugin.call('hang'));
    await rig.clock.advance(expected - 1);
    expect(plugin.worker?.callsInFlight).toBe(1);
    await rig.clock.advance(1);
    expect(await call).toMatchObject({ code: 'DEADLINE_EXCEEDED', message: expect.stringContaining(`${expected} ms`) });
  });
});

describe('idempotency keys', () => {
  function counting() {
    const state = { runs: 0, gate: gate<string>() };
    const plugin: UntypedPlugin = {
      methods: {
        async work() {
          state.runs += 1;
          const run = state.runs;
          return `${await state.gate.promise} ${run}`;
        },
        async fails() {
          state.runs += 1;
          throw new Error(`run ${state.runs}`);
        },
      },
    };
    return { state, plugin };
  }

  test('the same key is sent once, in flight and afterwards; other keys and methods are others', async () => {
    const rig = createRig();
    const { state, plugin: definition } = counting();
    const { plugin } = await startFake(rig, { plugin: definition });
    const calls = [plugin.call('work', {}, { idempotencyKey: 'a' }), plugin.call('work', {}, { idempotencyKey: 'a' })];
    state.gate.open('done');
    expect(await Promise.all(calls)).toEqual(['done 1', 'done 1']);
    expect(await plugin.call('work', {}, { idempotencyKey: 'a' })).toBe('done 1');
    expect(await plugin.call('work', {}, { idempotencyKey: 'b' })).toBe('done 2');
    expect(await plugin.call('work')).toBe('done 3');
  });

  test('a call that failed is made again', async () => {
    const rig = createRig();
    const { plugin } = await startFake(rig, { plugin: counting().plugin });
    expect((await rejection(plugin.call('fails', {}, { idempotencyKey: 'a' }))).message).toContain('run 1');
    expect((await rejection(plugin.call('fails', {}, { idempotencyKey: 'a' }))).message).toContain('run 2');
  });

  test('whoever joins has a signal of its own, and takes over when the first gives up', async () => {
    const rig = createRig();
    const { state, plugin: definition } = counting();
    const { plugin } = await startFake(rig, { plugin: definition });
    const [first, second] = [new AbortController(), new AbortController()];
    const a = rejection(plugin.call('work', {}, { idempotencyKey: 'k', signal: first.signal }));
    const b = rejection(plugin.call('work', {}, { idempotencyKey: 'k', signal: second.signal }));
    const c = plugin.call('work', {}, { idempotencyKey: 'k' });
    await rig.clock.settle();
    second.abort();
    expect(await b).toMatchObject({ code: 'CANCELLED' });
    expect(state.runs).toBe(1);
    first.abort();
    expect((await a).code).toBe('CANCELLED');
    await rig.clock.settle();
    state.gate.open('done');
    expect(await c).toBe('done 2');
  });

  test('a new worker is asked anew', async () => {
    const rig = createRig();
    const { state, plugin: definition } = counting();
    const { plugin } = await startFake(rig, { plugin: definition });
    state.gate.open('done');
    expect(await plugin.call('work', {}, { idempotencyKey: 'a' })).toBe('done 1');
    await rig.clock.runUntil(plugin.stop());
    expect((await rejection(plugin.call('work', {}, { idempotencyKey: 'a' }))).code).toBe('WORKER_UNAVAILABLE');
    await plugin.start();
    expect(await plugin.call('work', {}, { idempotencyKey: 'a' })).toBe('done 2');
  });

  test('answers are forgotten, the oldest first, when they grow too large or too many', async () => {
    const rig = createRig();
    let runs = 0;
    const count = (): number => {
      runs += 1;
      return runs;
    };
    const { plugin } = await startFake(rig, {
      plugin: { methods: { large: () => `${count()}${'x'.repeat(1_500_000)}`, small: () => count() } },
    });
    for (let key = 0; key < 8; key += 1) await plugin.call('large', {}, { idempotencyKey: `large ${key}` });
    expect(runs).toBe(8);
    await plugin.call('large', {}, { idempotencyKey: 'large 7' });
    expect(runs).toBe(8);
    await plugin.call('large', {}, { idempotencyKey: 'large 0' });
    expect(runs).toBe(9);
    for (let key = 0; key < 1_001; key += 1) await plugin.call('small', {}, { idempotencyKey: `small ${key}` });
    const before = runs;
    await plugin.call('small', {}, { idempotencyKey: 'small 1000' });
    expect(runs).toBe(before);
    await plugin.call('small', {}, { idempotencyKey: 'small 0' });
    expect(runs).toBe(before + 1);
  });
});

describe('nested calls', () => {
  test('[session.cycle-named] a cycle through several plugins is named, and does not hang', async () => {
    const rig = createRig({
      services: [relayService(async ({ to }, call) => rig.host.plugin(String(to)).call('relay', { to: to === 'a' ? 'b' : 'a' }, { within: call }))],
    });
    const a = await startFake(rig, { id: 'a', plugin: relaying });
    await startFake(rig, { id: 'b', plugin: relaying });
    const error = await rejection(a.plugin.call('relay', { to: 'b' }));
    expect(error.message).toContain('a:relay → b:relay → a:relay');
    expect(JSON.stringify([error.code, error.handlerCode])).toContain('CALL_CYCLE');
    expect(rig.clock.now()).toBe(0);
  });

  test('another method of the same plugin is no cycle, and is taken even while the worker drains', async () => {
    const entered = gate();
    const goOn = gate();
    const rig = createRig({
      services: [
        relayService(async (_params, call) => {
          entered.open();
          await goOn.promise;
          return rig.host.plugin('tested').call('echo', 'nested', { within: call });
        }),
      ],
    });
    const { plugin } = await startFake(rig, { plugin: relaying });
    const call = plugin.call('relay');
    await entered.promise;
    goOn.open();
    expect(await call).toBe('nested');
  });

  test('[session.nested-cancel] a request that is nested in a call of the host is cancelled when that call settles', async () => {
    const signals: AbortSignal[] = [];
    const rig = createRig({
      services: [
        relayService((_params, call) => {
          signals.push(call.signal);
          return hanging();
        }),
      ],
    });
    const { plugin } = await startFake(rig, { plugin: relaying });
    const controller = new AbortController();
    const call = rejection(plugin.call('relay', {}, { signal: controller.signal }));
    await rig.clock.settle();
    expect(signals.map((signal) => signal.aborted)).toEqual([false]);
    controller.abort();
    expect((await call).code).toBe('CANCELLED');
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
  });

  test('[session.nested-cancel] a call within a request has no more time than it, and is cancelled with it, across plugins', async () => {
    const outcomes: WorkerRuntimeError[] = [];
    const rig = createRig({
      services: [
        relayService(async ({ timeoutMs }, call) => {
          const nested = rejection(rig.host.plugin('b').call('hang', {}, { within: call, timeoutMs: Number(timeoutMs) }));
          outcomes.push(await nested);
          return 'over';
        }),
      ],
    });
    const a = await startFake(rig, { id: 'a', plugin: relaying });
    const b = await startFake(rig, { id: 'b', plugin: relaying });

    const late = rejection(a.plugin.call('relay', { timeoutMs: 0 }, { timeoutMs: 5_000 }));
    await rig.clock.advance(4_999);
    expect(b.plugin.worker?.callsInFlight).toBe(1);
    await rig.clock.advance(1);
    expect((await late).code).toBe('DEADLINE_EXCEEDED');
    await rig.clock.settle();
    expect(b.plugin.worker?.callsInFlight).toBe(0);
    expect(['DEADLINE_EXCEEDED', 'CANCELLED']).toContain(outcomes[0]?.code);

    const controller = new AbortController();
    const cancelled = rejection(a.plugin.call('relay', { timeoutMs: 60_000 }, { signal: controller.signal }));
    await rig.clock.settle();
    expect(b.plugin.worker?.callsInFlight).toBe(1);
    controller.abort();
    expect((await cancelled).code).toBe('CANCELLED');
    await rig.clock.settle();
    expect(b.plugin.worker?.callsInFlight).toBe(0);
    expect(outcomes[1]?.code).toBe('CANCELLED');

    // Its own, smaller limit holds too.
    expect(await rig.clock.runUntil(a.plugin.call('relay', { timeoutMs: 100 }))).toBe('over');
    expect(outcomes[2]).toMatchObject({ code: 'DEADLINE_EXCEEDED', message: expect.stringContaining('100 ms') });
  });

  test('a request that has been answered lends its time to nobody', async () => {
    const kept: ServiceCall[] = [];
    const rig = createRig({ services: [relayService((_params, call) => kept.push(call))] });
    const { plugin } = await startFake(rig, { plugin: relaying });
    await plugin.call('relay');
    expect(await rejection(plugin.call('echo', {}, { within: kept[0] }))).toMatchObject({ code: 'CANCELLED', mayHaveRun: false });
    expect(() => plugin.stream('ticks', {}, { within: kept[0] })).toThrow(expect.objectContaining({ code: 'CANCELLED' }));
  });
});

test('[host.handle-survives] a plugin that is not active says why, and what to do', async () => {
  const rig = createRig();
  const { plugin } = await startFake(rig);
  const { call } = plugin;
  await rig.clock.runUntil(plugin.stop({ reason: 'For a test.' }));
  expect(await rejection(call.call(plugin, 'echo'))).toMatchObject({
    code: 'WORKER_UNAVAILABLE',
    mayHaveRun: false,
    reason: { code: 'STOPPED', message: 'For a test.' },
    message: expect.stringContaining('Start the plugin'),
  });
});

test('a stream of a plugin with secrets hands out items and results as they are', async () => {
  const rig = createRig();
  const { plugin } = await startFake(rig, {
    plugin: {
      streams: {
        async *counts() {
          yield 1;
          yield 'hunter2-hunter2';
          return 'end';
        },
        async *ticks() {
          for (let tick = 0; ; tick += 1) yield tick;
        },
        async *tells() {
          yield 1;
          throw new Error('the key is hunter2-hunter2');
        },
      },
    },
    more: { config_schema: { key: { type: 'string', secret: true } } },
    install: { config: { key: 'hunter2-hunter2' } },
  });
  const stream = plugin.stream('counts');
  const items: unknown[] = [];
  for await (const item of stream) items.push(item);
  expect(items).toEqual([1, 'hunter2-hunter2']);
  expect(await stream.result).toBe('end');
  const left = plugin.stream('ticks');
  for await (const _ of left) break;
  expect((await rejection(left.result)).code).toBe('CANCELLED');
  const cancelled = plugin.stream('ticks');
  cancelled.cancel('enough');
  expect((await rejection(cancelled.result)).message).toContain('enough');
});

test('services of an embedder validate what they are sent', async () => {
  const rig = createRig({
    services: [
      defineService({
        name: 'sums',
        methods: { add: defineMethod({ baseline: 'For tests.', params: z.object({ a: z.number(), b: z.number() }), handle: ({ a, b }) => a + b }) },
      }),
    ],
  });
  const { plugin } = await startFake(rig, { plugin: { methods: { add: (params, ctx) => ctx.call('sums.add', params) } } });
  expect(await plugin.call('add', { a: 1, b: 2 })).toBe(3);
  expect((await rejection(plugin.call('add', { a: 1 }))).message).toContain('b');
});
