import { describe, expect, test } from 'vitest';
import type { UntypedPlugin } from '../../src/plugin/define-plugin.js';
import type { BusEvent } from '../../src/services/bus-event.js';
import { allow, createRig, gate, installFake, rejection, startFake } from './support.js';

type Seen = { topic: string; payload: unknown; missed: number; source: string };

/** A plugin that notes what it hears. */
function listening(patterns: readonly string[]): { readonly plugin: UntypedPlugin; readonly seen: Seen[]; hold: Promise<void> | undefined } {
  const state = {
    seen: [] as Seen[],
    hold: undefined as Promise<void> | undefined,
    plugin: {} as UntypedPlugin,
  };
  state.plugin = {
    on: Object.fromEntries(
      patterns.map((pattern) => [
        pattern,
        async ({ topic, payload, missed, source }: Seen) => {
          state.seen.push({ topic, payload, missed, source });
          await state.hold;
        },
      ]),
    ),
    methods: {
      publish: (params, ctx) => ctx.events.publish((params as { topic: string }).topic, (params as { payload?: unknown }).payload),
      async subscribe(params, ctx) {
        await ctx.events.subscribe(
          (params as { pattern: string }).pattern,
          ({ topic, payload, missed, source }) => void state.seen.push({ topic, payload, missed, source }),
        );
      },
    },
  };
  return state;
}

const subscribe = { capability: 'events.subscribe', topics: ['mail.**'] };
const publish = { capability: 'events.publish', topics: ['mail.**'] };

describe('events of the host', () => {
  test('[events.patterns] reach a worker that subscribed, with source, id and time', async () => {
    const rig = createRig({ rules: [allow('events.subscribe')] });
    const { plugin: definition, seen } = listening(['mail.*']);
    await startFake(rig, { plugin: definition, requests: [subscribe] });
    await rig.host.events.publish('mail.sent', { to: 'ada' }, { correlationId: 'c1' });
    await rig.host.events.publish('mail.sent.late');
    await rig.host.events.publish('news.sent');
    await rig.clock.settle();
    expect(seen).toEqual([{ topic: 'mail.sent', payload: { to: 'ada' }, missed: 0, source: 'host' }]);
  });

  test('[events.order] an event arrives once, in order, however many patterns of the worker match it', async () => {
    const rig = createRig({ rules: [allow('events.subscribe')] });
    const { plugin: definition, seen } = listening(['mail.*', 'mail.**', 'mail.sent']);
    const { workers } = await startFake(rig, { plugin: definition, requests: [subscribe] });
    for (let index = 0; index < 20; index += 1) await rig.host.events.publish('mail.sent', index);
    await rig.clock.settle();
    // Each of the three handlers hears each of them once.
    expect(seen).toHaveLength(60);
    for (let index = 0; index < 20; index += 1) expect(seen.filter(({ payload }) => payload === index)).toHaveLength(3);
    const firstHandler = seen.filter((_, at) => seen.slice(0, at).filter(({ payload }) => payload === seen[at]?.payload).length === 0);
    expect(firstHandler.map(({ payload }) => payload)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(workers).toHaveLength(1);
  });

  test('what a plugin publishes has its id as source; a topic with a wildcard is no topic', async () => {
    const rig = createRig({ rules: [allow('events.publish')] });
    const heard: BusEvent[] = [];
    rig.host.events.subscribe('**', (event) => void heard.push(event));
    const { plugin } = await startFake(rig, { plugin: listening([]).plugin, requests: [publish] });
    expect(await plugin.call('publish', { topic: 'mail.sent', payload: 1 })).toEqual({ id: expect.any(String) });
    expect(heard).toMatchObject([{ topic: 'mail.sent', source: 'tested', payload: 1, timestamp: '2026-01-01T00:00:00.000Z' }]);
    for (const topic of ['mail.*', 'mail.**', '**', 'mail..sent', '', 'mail.sent ']) {
      expect((await rejection(plugin.call('publish', { topic }))).code).toBe('CAPABILITY_DENIED');
      await expect(rig.host.events.publish(topic)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect((await rejection(plugin.call('publish', { topic: 'news.sent' }))).code).toBe('CAPABILITY_DENIED');
    expect(heard).toHaveLength(1);
  });

  test('subscriptions are idempotent by pattern and bounded in number', async () => {
    const rig = createRig({ rules: [allow('events.subscribe')] });
    const { plugin: definition, seen } = listening([]);
    const { plugin } = await startFake(rig, { plugin: definition, requests: [subscribe], install: { limits: { maxSubscriptions: 2 } } });
    for (const pattern of ['mail.a', 'mail.b', 'mail.a']) await plugin.call('subscribe', { pattern });
    expect(await rejection(plugin.call('subscribe', { pattern: 'mail.c' }))).toMatchObject({
      message: expect.stringContaining('limits.maxSubscriptions'),
    });
    await rig.host.events.publish('mail.b', 1);
    await rig.clock.settle();
    expect(seen).toHaveLength(1);
  });
});

describe('flow', () => {
  test('[events.slow-subscriber] a worker that does not keep up misses the oldest, and is told how many', async () => {
    const rig = createRig({ rules: [allow('events.subscribe')] });
    const state = listening(['mail.*']);
    const held = gate();
    state.hold = held.promise;
    await startFake(rig, { plugin: state.plugin, requests: [subscribe] });
    const filler = 'x'.repeat(20_000);
    for (let index = 0; index < 2_000; index += 1) await rig.host.events.publish('mail.sent', { index, filler });
    await rig.clock.settle();
    expect(state.seen).toHaveLength(1);
    state.hold = undefined;
    held.open();
    await rig.clock.settle();
    const indexes = state.seen.map(({ payload }) => (payload as { index: number }).index);
    expect(indexes).toEqual([...indexes].sort((left, right) => left - right));
    expect(indexes.at(-1)).toBe(1_999);
    expect(state.seen.length).toBeLessThan(1_100);
    expect(state.seen.length + state.seen.reduce((sum, { missed }) => sum + missed, 0)).toBe(2_000);
    expect(state.seen.filter(({ missed }) => missed > 0)).toHaveLength(1);
  });

  test('events that wait for a worker are bounded in bytes too', async () => {
    const rig = createRig({ rules: [allow('events.subscribe')] });
    const state = listening(['mail.*']);
    const held = gate();
    state.hold = held.promise;
    await startFake(rig, { plugin: state.plugin, requests: [subscribe] });
    const filler = 'x'.repeat(1_000_000);
    for (let index = 0; index < 50; index += 1) await rig.host.events.publish('mail.sent', { index, filler });
    state.hold = undefined;
    held.open();
    await rig.clock.settle();
    // 16 MiB hold eight of them.
    expect(state.seen.length).toBeLessThan(15);
    expect(state.seen.length + state.seen.reduce((sum, { missed }) => sum + missed, 0)).toBe(50);
    expect(state.seen.at(-1)?.payload).toMatchObject({ index: 49 });
  });

  test('an event that cannot be sent is counted as missed, and the next arrives', async () => {
    const rig = createRig({ rules: [allow('events.subscribe')] });
    const { plugin: definition, seen } = listening(['mail.*']);
    await startFake(rig, { plugin: definition, requests: [subscribe] });
    await rig.host.events.publish('mail.sent', { fn: () => {} });
    await rig.host.events.publish('mail.sent', 'x'.repeat(5 * 1024 * 1024));
    await rig.host.events.publish('mail.sent', 'last');
    await rig.clock.settle();
    expect(seen).toEqual([{ topic: 'mail.sent', payload: 'last', missed: 2, source: 'host' }]);
    expect(rig.logs.filter(({ message }) => message.includes('event handler failed'))).toHaveLength(2);
  });

  test('events while there is no worker are counted, and the next one is told', async () => {
    const rig = createRig({ rules: [allow('events.subscribe')] });
    const { plugin: definition, seen } = listening(['mail.*']);
    const { plugin, workers } = await startFake(rig, { plugin: definition, requests: [subscribe] });
    await rig.host.events.publish('mail.sent', 1);
    await rig.clock.settle();
    workers[0]!.exit({ exitCode: 3 });
    await rig.clock.settle();
    expect(plugin).toMatchObject({ state: 'quarantined', reason: { code: 'EXITED', exitCode: 3 } });
    for (let index = 0; index < 3; index += 1) await rig.host.events.publish('mail.sent', index);
    await plugin.start();
    await rig.host.events.publish('mail.sent', 'back');
    await rig.clock.settle();
    expect(seen.map(({ payload, missed }) => [payload, missed])).toEqual([
      [1, 0],
      ['back', 3],
    ]);
  });

  test('an event that waits for credit when the worker dies is missed too', async () => {
    const rig = createRig({ rules: [allow('events.subscribe')] });
    const state = listening(['mail.*']);
    state.hold = new Promise(() => {});
    const { plugin, workers } = await startFake(rig, { plugin: state.plugin, requests: [subscribe] });
    for (let index = 0; index < 4; index += 1) await rig.host.events.publish('mail.sent', { index, filler: 'x'.repeat(300_000) });
    await rig.clock.settle();
    workers[0]!.exit({ exitCode: 1 });
    await rig.clock.settle();
    state.hold = undefined;
    state.seen.length = 0;
    await plugin.start();
    await rig.host.events.publish('mail.sent', 'back');
    await rig.clock.settle();
    expect(state.seen).toMatchObject([{ payload: 'back', missed: 3 }]);
  });
});

describe('authority', () => {
  test('a revoke ends the subscriptions that rest on the grant, and only those', async () => {
    const rig = createRig();
    const { plugin: definition, seen } = listening(['mail.*', 'news.*']);
    const { plugin } = await installFake(rig, { plugin: definition, requests: [subscribe, { capability: 'events.subscribe', topics: ['news.*'] }] });
    await plugin.approve({ by: 'ada' });
    await plugin.start();
    const grant = plugin.grants.find(({ scope }) => scope.topics?.includes('mail.**'))!;
    await rig.host.revoke(grant.id, { by: 'bob' });
    await rig.host.events.publish('mail.sent', 1);
    await rig.host.events.publish('news.sent', 2);
    await rig.clock.settle();
    expect(seen.map(({ payload }) => payload)).toEqual([2]);
    expect(rig.logs.find(({ message }) => message.includes('subscription was ended'))?.fields).toMatchObject({ plugin: 'tested', pattern: 'mail.*' });
    // Given again, it must be asked for again.
    await plugin.approve({ by: 'ada' });
    await plugin.call('subscribe', { pattern: 'mail.sent' });
    await rig.host.events.publish('mail.sent', 3);
    await rig.clock.settle();
    expect(seen.map(({ payload }) => payload)).toContain(3);
  });

  test('events that were queued before the revoke are not delivered after it', async () => {
    const rig = createRig();
    const state = listening(['mail.*']);
    const held = gate();
    state.hold = held.promise;
    const { plugin } = await installFake(rig, { plugin: state.plugin, requests: [subscribe] });
    const [grant] = await plugin.approve({ by: 'ada' });
    await plugin.start();
    for (let index = 0; index < 10; index += 1) await rig.host.events.publish('mail.sent', { index, filler: 'x'.repeat(200_000) });
    await rig.clock.settle();
    await rig.host.revoke(grant!.id, { by: 'bob' });
    state.hold = undefined;
    held.open();
    await rig.clock.settle();
    // Those that had left the host by then; the window holds two.
    expect(state.seen.length).toBeLessThanOrEqual(2);
  });

  test('a grant that expires ends the subscription by itself', async () => {
    const rig = createRig();
    const { plugin: definition, seen } = listening(['mail.*']);
    const { plugin } = await installFake(rig, { plugin: definition, requests: [subscribe] });
    await plugin.approve({ by: 'ada', expires: new Date(rig.clock.wallTime() + 1_000) });
    await plugin.start();
    await rig.host.events.publish('mail.sent', 'before');
    await rig.clock.advance(1_000);
    await rig.host.events.publish('mail.sent', 'after');
    await rig.clock.settle();
    expect(seen.map(({ payload }) => payload)).toEqual(['before']);
    expect(rig.logs.some(({ message }) => message.includes('subscription was ended'))).toBe(true);
  });
});
