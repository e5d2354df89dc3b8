import { describe, expect, test } from 'vitest';
import { definePlugin, PluginConfig, type PluginContext, PluginError, type PluginEvent } from '../../src/plugin/index.js';
import { rejection, startPlugin } from './test-host.js';

/** A plugin that does in its handler "run" what the test says. */
function doing(run: (ctx: Parameters<NonNullable<Parameters<typeof definePlugin>[0]['methods']>['x']>[1], params: unknown) => unknown) {
  return definePlugin({ methods: { run: (params, ctx) => run(ctx, params) } });
}

describe('the context', () => {
  test('[plugin.context] says who, when and what for', async () => {
    const grants = [
      { capability: 'storage.read', scope: { keys: ['*'] } },
      { capability: 'events.publish', scope: {}, expiresAt: '2020-01-01T00:00:00Z' },
    ];
    const host = await startPlugin(
      doing((ctx) => ({
        plugin: ctx.plugin,
        generation: ctx.generation,
        deadline: ctx.deadline?.toISOString(),
        remainingMs: ctx.remainingMs,
        key: ctx.idempotencyKey,
        actingFor: ctx.actingFor,
        cancelled: ctx.cancelled,
        draining: ctx.draining,
        grants: ctx.grants.length,
        has: [ctx.hasGrant('storage.read'), ctx.hasGrant('storage.write'), ctx.hasGrant('events.publish')],
      })),
      { welcome: { grants } },
    );
    expect(await host.session.call('run', {}, { timeoutMs: 2_500, idempotencyKey: 'k1', actingFor: 'other' })).toEqual({
      plugin: { id: 'tested', version: '1.2.3' },
      generation: 3,
      deadline: new Date(host.clock.wallTime() + 2_500).toISOString(),
      remainingMs: 2_500,
      key: 'k1',
      actingFor: 'other',
      cancelled: false,
      draining: false,
      grants: 2,
      has: [true, false, false],
    });
    expect(await host.session.call('run', {}, { timeoutMs: 0 })).toMatchObject({ deadline: null, remainingMs: Number.POSITIVE_INFINITY });
  });

  test('grants change while the plugin runs', async () => {
    const { session, clock } = await startPlugin(doing((ctx) => ctx.hasGrant('storage.read')));
    expect(await session.call('run', {})).toBe(false);
    session.notify('grants.changed', { grants: [{ capability: 'storage.read', scope: {} }, null, 'x'] });
    expect(await session.call('run', {})).toBe(true);
    session.notify('grants.changed', { nothing: true });
    await clock.settle();
    expect(await session.call('run', {})).toBe(true);
    session.notify('grants.changed', { grants: [] });
    expect(await session.call('run', {})).toBe(false);
  });

  test('[plugin.context] its functions may be taken out of it', async () => {
    const steps: unknown[] = [];
    const plugin = definePlugin({
      methods: {
        run: async (_params, { progress, call, hasGrant, health, routeMessage, events, storage }) => {
          progress(0.5, 'half', { a: 1 });
          const { publish } = events;
          const { get } = storage;
          await health('degraded', 'slow');
          return [
            await call('x'),
            hasGrant('y'),
            await publish('a.b', { c: 1 }, { correlationId: 'r' }),
            await get('k'),
            await routeMessage({} as never),
          ];
        },
      },
    });
    const { session, requests } = await startPlugin(plugin, {
      services: {
        x: () => 1,
        'events.publish': () => ({ id: 'e1' }),
        'storage.get': () => ({ found: true, value: 7 }),
        'agents.message': () => ({ accepted: true }),
      },
    });
    expect(await session.call('run', {}, { onProgress: (progress) => steps.push(progress) })).toEqual([
      1,
      false,
      { id: 'e1' },
      7,
      { accepted: true },
    ]);
    expect(steps).toEqual([{ fraction: 0.5, message: 'half', data: { a: 1 } }]);
    expect(requests.map(({ method, params }) => [method, params])).toEqual([
      ['health.report', { status: 'degraded', message: 'slow' }],
      ['x', undefined],
      ['events.publish', { topic: 'a.b', payload: { c: 1 }, correlationId: 'r' }],
      ['storage.get', { key: 'k' }],
      ['agents.message', {}],
    ]);
  });

  test('storage', async () => {
    const plugin = doing(async ({ storage }) => [
      await storage.get('none'),
      await storage.set('k', { a: 1 }),
      await storage.delete('k'),
      await storage.list('k'),
      await storage.list(),
    ]);
    const { session, requests } = await startPlugin(plugin, {
      services: {
        'storage.get': () => ({ found: false, value: null }),
        'storage.delete': () => ({ deleted: true }),
        'storage.list': () => ({ keys: ['k1', 'k2'] }),
      },
    });
    expect(await session.call('run', {})).toEqual([null, null, true, ['k1', 'k2'], ['k1', 'k2']]);
    expect(requests.map(({ params }) => params)).toEqual([{ key: 'none' }, { key: 'k', value: { a: 1 } }, { key: 'k' }, { prefix: 'k' }, {}]);
  });

  test('the signal of a call is its own', async () => {
    let signal: AbortSignal | undefined;
    const { session } = await startPlugin(
      doing((ctx) => {
        signal = ctx.signal;
        return new Promise(() => {});
      }),
    );
    expect(await rejection(session.call('run', {}, { timeoutMs: 0, signal: AbortSignal.timeout(5) }))).toMatchObject({ code: 'CANCELLED' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toMatchObject({ code: 'CANCELLED' });
  });
});

describe('the configuration', () => {
  const config = new PluginConfig({
    text: 'x',
    blank: '  ',
    none: null,
    int: 5,
    digits: ' 42 ',
    float: 1.5,
    flag: true,
    flagText: 'FALSE',
    list: [1],
    key: 's3cret',
  });

  test('blank counts as absent', () => {
    expect(['text', 'blank', 'none', 'missing', 'toString', 'flag'].map((key) => config.has(key))).toEqual([true, false, false, false, false, true]);
    expect(config.getString('blank', 'default')).toBe('default');
    expect(config.getSecretOptional('blank')).toBeUndefined();
  });

  test('reads by type', () => {
    expect([config.getString('text'), config.getString('int'), config.getInt('int'), config.getInt('digits'), config.getInt('missing', 7)]).toEqual([
      'x',
      '5',
      5,
      42,
      7,
    ]);
    expect([config.getBoolean('flag'), config.getBoolean('flagText'), config.getBoolean('missing', true), config.getSecret('key')]).toEqual([
      true,
      false,
      true,
      's3cret',
    ]);
    for (const read of [
      () => config.getInt('float'),
      () => config.getInt('text'),
      () => config.getBoolean('int'),
      () => config.getString('list'),
      () => config.getSecret('blank'),
    ]) {
      expect(read).toThrowError(expect.objectContaining({ code: 'INVALID_CONFIG' }));
    }
  });

  test('an error never holds the value', () => {
    expect(() => config.getInt('key')).toThrowError(expect.objectContaining({ message: expect.not.stringContaining('s3cret') }));
  });

  test('is what the host sent', async () => {
    const { session } = await startPlugin(
      doing(({ config: own }) => [own.getString('model'), own.values]),
      { welcome: { config: { model: 'm1' } } },
    );
    expect(await session.call('run', {})).toEqual(['m1', { model: 'm1' }]);
  });
});

describe('the log', () => {
  test('takes fields and a message, or a message alone', async () => {
    const host = await startPlugin(
      doing(({ log }) => {
        log.info({ chars: 3, error: new TypeError('bad', { cause: 'why' }), at: new Date(0), map: new Map([['a', 1]]), skip: undefined }, 'start');
        log.fatal('alone');
      }),
    );
    await host.session.call('run', {});
    expect(host.logs).toEqual([
      {
        level: 'info',
        message: 'start',
        fields: {
          chars: 3,
          error: { name: 'TypeError', message: 'bad', stack: expect.stringContaining('TypeError: bad'), cause: 'why' },
          at: '1970-01-01T00:00:00.000Z',
          map: { a: 1 },
        },
        time: new Date(host.clock.wallTime()).toISOString(),
      },
      { level: 'fatal', message: 'alone', time: expect.any(String) },
    ]);
  });

  test('never throws, whatever it is given', async () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const host = await startPlugin(
      doing(({ log }) => {
        log.info({ circular, fn: () => {}, sym: Symbol('s'), half: '\uD800', big: 2n ** 70n, bytes: new Uint8Array(3), set: new Set([1]) }, 'odd');
        log.info(
          {
            get broken(): never {
              throw new Error('x');
            },
          },
          'getter',
        );
        log.info(
          {
            toJSON: () => {
              throw new Error('x');
            },
          },
          'json',
        );
        log.info(JSON.parse('{"__proto__": 1, "constructor": 2}'), 'keys');
        log.info({ deep: Array.from({ length: 20 }).reduce((inner) => [inner], 1 as unknown) }, 'deep');
        log.info({ long: 'x'.repeat(1_000_000), many: Array.from({ length: 10_000 }, () => 'y'.repeat(100)) }, 'z'.repeat(100_000));
        log.info(undefined as never, undefined as never);
        log.info(new Error('plain') as never, 'an error');
      }),
    );
    await host.session.call('run', {});
    expect(host.logs.map(({ message }) => message.slice(0, 10))).toEqual(['odd', 'getter', 'json', 'keys', 'deep', 'zzzzzzzzzz', '', 'an error']);
    expect(host.logs[0]?.fields).toEqual({
      circular: { self: '[circular]' },
      fn: '[function fn]',
      sym: '[Symbol(s)]',
      half: '\uFFFD',
      big: String(2n ** 70n),
      bytes: '[3 bytes]',
      set: [1],
    });
    expect(host.logs[3]?.fields).toEqual({ constructor: 2 });
    expect(JSON.stringify(host.logs[5]).length).toBeLessThan(60_000);
    expect(host.logs[7]?.fields).toMatchObject({ err: { message: 'plain' } });
  });

  test('secret configuration is replaced wherever it appears', async () => {
    const key = 'sk-12345/+"x';
    const host = await startPlugin(
      doing(({ log }) => {
        log.error(
          {
            url: `https://x?key=${encodeURIComponent(key)}`,
            err: new Error(`Bearer ${key}`),
            json: JSON.stringify({ key }),
            [key]: 1,
            pin: 77,
            list: ['inner-secret'],
          },
          `key ${key}`,
        );
        log.info({ pin: '7' }, '7 times');
        throw new PluginError('denied', `The key ${key} is not valid.`, { key, pin: 77 });
      }),
      {
        welcome: {
          config: { key, pin: 77, one: '7', keys: ['inner-secret'], open: 'visible' },
          secretConfigKeys: ['key', 'pin', 'one', 'keys', 'missing'],
        },
      },
    );
    const error = await rejection(host.session.call('run', {}));
    expect(error).toMatchObject({
      code: 'HANDLER_ERROR',
      handlerCode: 'denied',
      message: 'The key [secret] is not valid.',
      details: { key: '[secret]', pin: '[secret]' },
    });
    const written = JSON.stringify(host.logs);
    for (const form of [key, encodeURIComponent(key), 'inner-secret', 'sk-12345']) expect(written).not.toContain(form);
    expect(host.logs[0]).toMatchObject({ message: 'key [secret]', fields: { pin: '[secret]', list: ['[secret]'] } });
    expect(host.logs[1]).toMatchObject({ message: '7 times', fields: { pin: '[secret]' } });
    expect(host.run.redact(`a ${key}`)).toBe('a [secret]');
  });

  test('keeps a bounded number of lines while the host takes none, and says what it dropped', async () => {
    const releases: (() => void)[] = [];
    const block = 'x'.repeat(1_000);
    const host = await startPlugin(
      doing(({ log }) => {
        for (let index = 0; index < 3_000; index++) log.info({ block }, `line ${index}`);
      }),
      { onLog: () => new Promise<void>((resolve) => releases.push(resolve)) },
    );
    await host.session.call('run', {});
    await host.clock.settle();
    const taken = host.logs.length;
    expect(taken).toBeLessThan(300);
    while (releases.length > 0) {
      for (const release of releases.splice(0)) release();
      await host.clock.settle();
    }
    // Whoever reads the log knows of every line whether it was dropped.
    let next = 0;
    let dropped = 0;
    for (const line of host.logs) {
      if (line.level === 'warn') {
        expect(line.message).toMatch(/^\d+ log lines were dropped here/);
        dropped += (line.fields as { dropped: number }).dropped;
        next += (line.fields as { dropped: number }).dropped;
      } else {
        expect(line.message).toBe(`line ${next}`);
        next += 1;
      }
    }
    expect(next).toBe(3_000);
    expect(dropped).toBeGreaterThan(1_000);
    expect(host.logs.length - taken).toBeLessThanOrEqual(1_001);
  });
});

describe('events', () => {
  const event = (topic: string, more: object = {}) => ({ id: 'e', topic, source: 'other', timestamp: '2026-01-01T00:00:00Z', ...more });

  test('reach every handler whose pattern matches', async () => {
    const seen: string[] = [];
    const note =
      (pattern: string) =>
      ({ topic, missed, payload, correlationId }: PluginEvent) =>
        void seen.push(`${pattern} ${topic} ${missed} ${JSON.stringify(payload)} ${correlationId}`);
    const plugin = definePlugin({ on: { 'mail.*': note('*'), 'mail.**': note('**'), 'mail.received': note('='), '*.received': note('*.') } });
    const host = await startPlugin(plugin);
    expect(host.requests.map(({ method, params, parentId }) => [method, params, typeof parentId])).toEqual(
      ['mail.*', 'mail.**', 'mail.received', '*.received'].map((pattern) => ['events.subscribe', { pattern }, 'number']),
    );
    host.session.notify('events.deliver', event('mail.received', { payload: { a: 1 }, correlationId: 'c', missed: 2 }));
    host.session.notify('events.deliver', event('mail.sent.late'));
    host.session.notify('events.deliver', event('mail'));
    host.session.notify('events.deliver', { topic: 'mail.received' });
    await host.clock.settle();
    expect(seen).toEqual([
      ...['*', '**', '=', '*.'].map((pattern) => `${pattern} mail.received 2 {"a":1} c`),
      '** mail.sent.late 0 undefined undefined',
    ]);
    expect(host.logs).toMatchObject([{ level: 'warn', message: expect.stringContaining('dropped') }]);
  });

  test('of one pattern are handled one after the other, and a failure harms nobody', async () => {
    const steps: string[] = [];
    const releases: (() => void)[] = [];
    const plugin = definePlugin({
      on: {
        'a.*': async ({ topic }) => {
          steps.push(`begin ${topic}`);
          await new Promise<void>((resolve) => releases.push(resolve));
          steps.push(`end ${topic}`);
          if (topic === 'a.1') throw new Error('bad event');
        },
        'a.2': () => void steps.push('other'),
      },
    });
    const host = await startPlugin(plugin);
    host.session.notify('events.deliver', event('a.1'));
    host.session.notify('events.deliver', event('a.2'));
    await host.clock.settle();
    expect(steps).toEqual(['begin a.1', 'other']);
    releases.shift()?.();
    await host.clock.settle();
    releases.shift()?.();
    await host.clock.settle();
    expect(steps).toEqual(['begin a.1', 'other', 'end a.1', 'begin a.2', 'end a.2']);
    expect(host.logs).toMatchObject([{ level: 'error', fields: { topic: 'a.1', err: { message: 'bad event' } } }]);
  });

  test('a denied subscription fails the load with the denial', async () => {
    const details = { capability: 'events.subscribe', scope: { topics: ['a.*'] }, decisionId: 'd' };
    const host = await startPlugin(definePlugin({ on: { 'a.*': () => {} } }), {
      load: false,
      services: {
        'events.subscribe': () => {
          throw Object.assign(new PluginError('x', 'Not granted.'), { code: 'CAPABILITY_DENIED', handlerCode: undefined, details });
        },
      },
    });
    expect(await rejection(host.load())).toMatchObject({ code: 'CAPABILITY_DENIED', details });
  });

  test('can be subscribed to and left while the plugin runs', async () => {
    const seen: string[] = [];
    let kept: PluginContext | undefined;
    let leave: (() => Promise<void>) | undefined;
    const plugin = definePlugin({
      onLoad: async (ctx) => {
        kept = ctx;
        leave = await ctx.events.subscribe('a.b', ({ topic }) => void seen.push(topic));
      },
    });
    const host = await startPlugin(plugin);
    host.session.notify('events.deliver', event('a.b'));
    await host.clock.settle();
    await leave?.();
    host.session.notify('events.deliver', event('a.b'));
    await host.clock.settle();
    expect(seen).toEqual(['a.b']);
    expect(host.requests.map(({ method }) => method)).toEqual(['events.subscribe', 'events.unsubscribe']);
    // The context of onLoad stays usable for as long as the session lasts.
    await kept?.health('ok');
    await expect(kept?.events.subscribe('a..b', () => {})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('count as consumed when they have been handled', async () => {
    let handled = 0;
    const releases: (() => void)[] = [];
    const host = await startPlugin(
      definePlugin({
        on: {
          a: () =>
            new Promise<void>((resolve) =>
              releases.push(() => {
                handled += 1;
                resolve();
              }),
            ),
        },
      }),
    );
    const payload = 'x'.repeat(64 * 1_024);
    let sent = 0;
    while (sent < 100 && host.session.notify('events.deliver', event('a', { payload }))) {
      sent += 1;
      await host.clock.settle();
    }
    expect(sent).toBe(4);
    expect(host.session.notify('events.deliver', event('a', { payload }))).toBe(false);
    while (handled < sent) {
      releases.shift()?.();
      await host.clock.settle();
    }
    expect(host.session.notify('events.deliver', event('a', { payload }))).toBe(true);
  });
});
