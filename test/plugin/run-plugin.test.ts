import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineContract, definePlugin, PluginError } from '../../src/plugin/index.js';
import { rejection, startPlugin } from './test-host.js';

const contract = defineContract({
  methods: {
    summarize: { params: z.object({ text: z.string(), limit: z.int().default(10) }), result: z.object({ summary: z.string() }) },
    fail: { params: z.object({ how: z.string() }) },
  },
  streams: {
    narrate: { params: z.object({ count: z.int() }), item: z.string(), result: z.object({ finishReason: z.string() }) },
    sum: { input: z.object({ value: z.number() }), item: z.number(), result: z.object({ total: z.number() }) },
  },
});

function contractPlugin() {
  const left: string[] = [];
  const plugin = definePlugin(contract, {
    async summarize({ text, limit }) {
      return { summary: text.slice(0, limit) };
    },
    fail({ how }, ctx) {
      if (how === 'plugin error') throw new PluginError('quota', 'The quota is used up.', { left: 0 }, true);
      if (how === 'denied') return ctx.call('storage.get', { key: 'k' });
      throw new TypeError('broken');
    },
    async *narrate({ count }) {
      try {
        for (let index = 0; index < count; index++) yield `item ${index}`;
        return { finishReason: 'stop' };
      } finally {
        left.push('narrate');
      }
    },
    async *sum(_params, { items }) {
      let total = 0;
      for await (const { value } of items) {
        total += value;
        yield total;
      }
      return { total };
    },
  });
  return { plugin, left };
}

describe('a plugin under a host', () => {
  test('says who it is, with the version of package.json', async () => {
    const { hello, run } = await startPlugin(contractPlugin().plugin);
    const { name, version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(hello).toMatchObject({
      role: 'worker',
      versions: [1],
      plugin: { id: 'tested', version: '1.2.3' },
      sdk: { name, version, language: 'javascript' },
    });
    expect(run.plugin).toEqual({ id: 'tested', version: '1.2.3' });
  });

  test('[plugin.load-hooks] answers plugin.load with what it offers, once', async () => {
    const host = await startPlugin(contractPlugin().plugin, { load: false });
    expect(await rejection(host.session.call('summarize', { text: 'x' }))).toMatchObject({ code: 'INVALID_STATE', mayHaveRun: false });
    expect(await host.load()).toEqual({ methods: ['summarize', 'fail'], streams: ['narrate', 'sum'], events: [] });
    expect(await rejection(host.load())).toMatchObject({ code: 'INVALID_STATE' });
    expect(await host.as(contract).summarize({ text: 'x' })).toEqual({ summary: 'x' });
  });

  test('[plugin.contract-validated] validates params, fills in defaults, and names field and repair', async () => {
    const { session } = await startPlugin(contractPlugin().plugin);
    expect(await session.call('summarize', { text: 'abcdefghijklmnop' })).toEqual({ summary: 'abcdefghij' });
    const error = await rejection(session.call('summarize', { text: 7 }));
    expect(error).toMatchObject({
      code: 'INVALID_PARAMS',
      mayHaveRun: false,
      details: { issues: [{ path: ['text'], message: expect.stringContaining('string') }] },
    });
    expect(error.message).toMatch(/^The params of "summarize" did not fit the schema: text: .*\. Pass what the contract of the plugin asks for\.$/);
  });

  test('takes nil for a field that is left out', async () => {
    const optional = definePlugin(
      defineContract({ methods: { echo: { params: z.object({ a: z.array(z.object({ note: z.string().optional() })) }) } } }),
      {
        echo: (params) => params,
      },
    );
    const { session } = await startPlugin(optional);
    expect(await session.call('echo', { a: [{ note: undefined }, { note: 'x' }] })).toEqual({ a: [{}, { note: 'x' }] });
    expect(await rejection(session.call('echo', { a: [{ note: null }, { note: 5 }] }))).toMatchObject({ code: 'INVALID_PARAMS' });
  });

  test('knows no method that was not defined, and suggests one', async () => {
    const { session } = await startPlugin(contractPlugin().plugin);
    const error = await rejection(session.call('sumarize', {}));
    expect(error).toMatchObject({ code: 'METHOD_NOT_FOUND' });
    expect(error.message).toContain('did you mean "summarize"?');
    for (const method of ['constructor', 'toString', '__proto__', 'plugin.unknown', 'plugin.install']) {
      expect(await rejection(session.call(method, {}))).toMatchObject({ code: 'METHOD_NOT_FOUND' });
    }
  });

  test('[plugin.typed-errors] tells the caller how a handler failed', async () => {
    const denial = { capability: 'storage.read', scope: { keys: ['k'] }, decisionId: 'd1' };
    const { session } = await startPlugin(contractPlugin().plugin, {
      services: {
        'storage.get': () => {
          throw Object.assign(new PluginError('x', 'x'), { code: 'CAPABILITY_DENIED', handlerCode: undefined, details: denial });
        },
      },
    });
    expect(await rejection(session.call('fail', { how: 'plugin error' }))).toMatchObject({
      code: 'HANDLER_ERROR',
      handlerCode: 'quota',
      details: { left: 0 },
      retryable: true,
    });
    expect(await rejection(session.call('fail', { how: 'throw' }))).toMatchObject({ code: 'HANDLER_ERROR', message: 'TypeError: broken' });
    expect(await rejection(session.call('fail', { how: 'denied' }))).toMatchObject({ code: 'CAPABILITY_DENIED', details: denial });
  });

  test('what a handler did not mean to throw is logged with its place', async () => {
    const host = await startPlugin(contractPlugin().plugin);
    await rejection(host.session.call('fail', { how: 'plugin error' }));
    await rejection(host.session.call('fail', { how: 'throw' }));
    expect(host.logs).toMatchObject([
      {
        level: 'error',
        message: 'The handler of "fail" failed.',
        fields: { method: 'fail', err: { name: 'TypeError', stack: expect.stringContaining('run-plugin.test.ts') } },
      },
    ]);
  });

  test('[plugin.typed-errors] the stack travels only where the host debugs', async () => {
    for (const debug of [false, true]) {
      const { session } = await startPlugin(contractPlugin().plugin, { welcome: { debug } });
      const error = (await rejection(session.call('fail', { how: 'throw' }))) as Error;
      expect(error.stack?.includes('run-plugin.test.ts') && error.stack.includes('at the other side')).toBe(debug);
    }
  });

  test('[plugin.load-hooks] a failing onLoad is the answer to plugin.load, and the plugin takes no calls', async () => {
    const plugin = definePlugin({
      methods: { run: () => 'never' },
      onLoad: () => {
        throw new PluginError('no-key', 'The key is missing.');
      },
    });
    const host = await startPlugin(plugin, { load: false });
    expect(await rejection(host.load())).toMatchObject({ code: 'HANDLER_ERROR', handlerCode: 'no-key', message: 'The key is missing.' });
    expect(await rejection(host.session.call('run', {}))).toMatchObject({ code: 'INVALID_STATE' });
  });

  test('an error of a nested call is not passed off as one of the call itself', async () => {
    const plugin = definePlugin({ methods: { outer: (_params, ctx) => ctx.call('missing') } });
    const { session } = await startPlugin(plugin, {
      services: {
        missing: () => {
          throw Object.assign(new PluginError('x', 'No such method.'), { code: 'METHOD_NOT_FOUND', handlerCode: undefined, mayHaveRun: false });
        },
      },
    });
    const error = await rejection(session.call('outer', {}));
    expect(error).toMatchObject({ code: 'HANDLER_ERROR', handlerCode: 'METHOD_NOT_FOUND', message: 'No such method.' });
    expect(error.mayHaveRun).not.toBe(false);
  });

  test('nests the calls of a handler in its call', async () => {
    const plugin = definePlugin({ methods: { outer: (_params, ctx) => ctx.call('inner', { a: 1 }) } });
    const { session, requests } = await startPlugin(plugin, { services: { inner: () => 'ok' } });
    expect(await session.call('outer', {})).toBe('ok');
    expect(requests).toEqual([{ method: 'inner', params: { a: 1 }, parentId: expect.any(Number) }]);
  });

  test('[plugin.contract-validated] a result that breaks the contract is an INVALID_RESULT', async () => {
    const broken = { summarize: async () => ({ summary: 5 }), fail: () => undefined, narrate: async function* () {}, sum: async function* () {} };
    const { session } = await startPlugin(definePlugin(contract, broken as never));
    expect(await rejection(session.call('summarize', { text: 'x' }))).toMatchObject({
      code: 'INVALID_RESULT',
      details: { issues: [{ path: ['summary'] }] },
    });
    const narration = session.stream('narrate', { count: 1 });
    expect(await rejection(narration.result)).toMatchObject({ code: 'INVALID_RESULT' });
  });
});

describe('streams', () => {
  test('items, then the result', async () => {
    const { plugin } = contractPlugin();
    const host = await startPlugin(plugin);
    const stream = host.as(contract).narrate({ count: 3 });
    const items: string[] = [];
    for await (const item of stream) items.push(item);
    expect(items).toEqual(['item 0', 'item 1', 'item 2']);
    expect(await stream.result).toEqual({ finishReason: 'stop' });
  });

  test('leaving the loop leaves the generator', async () => {
    const { plugin, left } = contractPlugin();
    const host = await startPlugin(plugin);
    const stream = host.as(contract).narrate({ count: 1_000_000 });
    for await (const item of stream) if (item === 'item 2') break;
    await host.clock.settle();
    expect(left).toEqual(['narrate']);
    expect(await rejection(stream.result)).toMatchObject({ code: 'CANCELLED' });
    expect(host.session.callsInFlight).toBe(0);
  });

  test('the generator is pulled no faster than the caller reads', async () => {
    let yielded = 0;
    const plugin = definePlugin({
      streams: {
        async *flood() {
          const block = 'x'.repeat(1_024);
          for (;;) {
            yielded += 1;
            yield block;
          }
        },
      },
    });
    const { session, clock } = await startPlugin(plugin);
    const stream = session.stream('flood', {});
    await clock.settle();
    expect(yielded).toBeGreaterThan(200);
    expect(yielded).toBeLessThan(270);
    stream.cancel();
    await rejection(stream.result);
  });

  test('a generator that never waits delays neither other calls nor its own cancellation', async () => {
    let yielded = 0;
    const plugin = definePlugin({
      methods: { quick: () => yielded },
      streams: {
        async *flood() {
          for (;;) yield ++yielded;
        },
      },
    });
    const { session, clock } = await startPlugin(plugin);
    const stream = session.stream('flood', {});
    expect(await session.call('quick', {})).toBeLessThan(1_000);
    stream.cancel();
    await rejection(stream.result);
    await clock.settle();
    expect(yielded).toBeLessThan(3_000);
  });

  test('a caller that goes away ends a generator that waits', async () => {
    const left: string[] = [];
    const plugin = definePlugin({
      streams: {
        async *wait(_params, ctx) {
          try {
            await new Promise((_resolve, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)));
            yield 1;
            return undefined;
          } finally {
            left.push(`cancelled: ${ctx.cancelled}`);
          }
        },
      },
    });
    const { session, clock } = await startPlugin(plugin);
    const stream = session.stream('wait', {});
    await clock.settle();
    stream.cancel('enough');
    await clock.settle();
    expect(left).toEqual(['cancelled: true']);
    await rejection(stream.result);
  });

  test('items of the caller are validated and read by the handler', async () => {
    const { plugin } = contractPlugin();
    const host = await startPlugin(plugin);
    const numbers = async function* (...values: readonly unknown[]) {
      for (const value of values) yield { value: value as number };
    };
    const stream = host.as(contract).sum(undefined, { input: numbers(1, 2, 3) });
    const items: number[] = [];
    for await (const item of stream) items.push(item);
    expect(items).toEqual([1, 3, 6]);
    expect(await stream.result).toEqual({ total: 6 });
    const unchecked = host.session.stream('sum', undefined, { input: numbers(1, 'two') });
    expect(await rejection(unchecked.result)).toMatchObject({ code: 'INVALID_PARAMS', details: { issues: [{ path: ['value'] }] } });
  });

  test('a stream is not called, and a method not streamed', async () => {
    const { session } = await startPlugin(contractPlugin().plugin);
    expect(await rejection(session.call('narrate', { count: 1 }))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await rejection(session.stream('summarize', { text: 'x' }).result)).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('limits', () => {
  test('a handler that ignores its cancellation keeps its place', async () => {
    let release: () => void = () => {};
    const plugin = definePlugin({
      methods: {
        stubborn: () =>
          new Promise<void>((resolve) => {
            release = resolve;
          }),
        quick: () => 'ok',
      },
    });
    const { session, clock } = await startPlugin(plugin, { welcome: { maxConcurrency: 1 } });
    const controller = new AbortController();
    const call = rejection(session.call('stubborn', {}, { signal: controller.signal }));
    await clock.settle();
    controller.abort();
    expect(await call).toMatchObject({ code: 'CANCELLED' });
    expect(await rejection(session.call('quick', {}))).toMatchObject({ code: 'OVERLOADED', retryable: true, mayHaveRun: false });
    release();
    await clock.settle();
    expect(await session.call('quick', {})).toBe('ok');
  });

  test("the plugin's own concurrency counts where it is smaller", async () => {
    const waiting: (() => void)[] = [];
    const plugin = definePlugin({ methods: { wait: () => new Promise<void>((resolve) => waiting.push(resolve)) }, concurrency: 2 });
    const { session, clock } = await startPlugin(plugin);
    const calls = [session.call('wait', {}), session.call('wait', {})];
    expect(await rejection(session.call('wait', {}))).toMatchObject({ code: 'OVERLOADED' });
    await clock.settle();
    for (const resolve of waiting) resolve();
    await Promise.all(calls);
  });
});

describe('the end', () => {
  test('stop drains, waits for calls in flight, unloads and says goodbye', async () => {
    const steps: string[] = [];
    let release: () => void = () => {};
    const plugin = definePlugin({
      methods: {
        slow: async (_params, ctx) => {
          await new Promise<void>((resolve) => {
            release = resolve;
          });
          steps.push(`slow ended, draining: ${ctx.draining}`);
          return 'done';
        },
      },
      onUnload: async (ctx) => {
        await ctx.storage.set('k', 1);
        steps.push('unloaded');
      },
    });
    const host = await startPlugin(plugin);
    const call = host.session.call('slow', {});
    await host.clock.settle();
    const stopped = host.run.stop({ reason: 'update' });
    await host.clock.settle();
    expect(host.drains).toEqual(['update']);
    expect(await rejection(host.session.call('slow', {}))).toMatchObject({ code: 'DRAINING' });
    release();
    expect(await call).toBe('done');
    expect(await host.ended).toMatchObject({ code: 'DRAINED', goodbye: true });
    await host.clock.runUntil(stopped);
    expect(steps).toEqual(['slow ended, draining: true', 'unloaded']);
    expect(host.run.saidGoodbye).toBe(true);
    await host.run.finished;
  });

  test('stop waits no longer than the grace time', async () => {
    const host = await startPlugin(definePlugin({ methods: { hang: () => new Promise(() => {}) } }));
    const call = rejection(host.session.call('hang', {}, { timeoutMs: 0 }));
    await host.clock.settle();
    const stopped = host.run.stop({ graceMs: 700 });
    await host.clock.advance(699);
    expect(host.session.end).toBeUndefined();
    await host.clock.advance(1);
    expect(await host.ended).toMatchObject({ code: 'DRAINED' });
    expect(await call).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
    await host.clock.runUntil(stopped);
  });

  test('[plugin.load-hooks] plugin.unload runs onUnload, whose calls are nested in it', async () => {
    const plugin = definePlugin({
      onUnload: async (ctx) => {
        await ctx.storage.set('k', 1);
        throw new Error('not good');
      },
    });
    const { session, requests } = await startPlugin(plugin);
    session.drain(1_000, 'stop');
    expect(await rejection(session.call('plugin.unload', {}))).toMatchObject({ code: 'HANDLER_ERROR', message: 'not good' });
    expect(requests).toEqual([{ method: 'storage.set', params: { key: 'k', value: 1 }, parentId: expect.any(Number) }]);
  });

  test('the end of the session aborts what runs', async () => {
    const aborted: string[] = [];
    const plugin = definePlugin({
      methods: {
        hang: (_params, ctx) =>
          new Promise((_resolve, reject) => {
            ctx.signal.addEventListener('abort', () => {
              aborted.push('call');
              reject(ctx.signal.reason);
            });
          }),
      },
      onLoad: (ctx) => ctx.signal.addEventListener('abort', () => aborted.push('session')),
    });
    const host = await startPlugin(plugin);
    const call = rejection(host.session.call('hang', {}));
    await host.clock.settle();
    host.session.close('STOPPED', 'The host stops.');
    expect(await call).toMatchObject({ code: 'WORKER_LOST' });
    expect(await host.run.ended).toMatchObject({ code: 'STOPPED', goodbye: true });
    await host.clock.runUntil(host.run.finished);
    expect(aborted.sort()).toEqual(['call', 'session']);
  });

  test('fail says why', async () => {
    const host = await startPlugin(definePlugin({}));
    const failed = host.run.fail('Uncaught exception: x');
    expect(await host.ended).toEqual({ code: 'INTERNAL_ERROR', message: 'Uncaught exception: x', goodbye: true });
    await host.clock.runUntil(failed);
  });
});
