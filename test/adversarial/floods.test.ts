import { describe, expect, test } from 'vitest';
import { until } from '../process/host-support.js';
import { arena } from './arena.js';
import { arrived, ask, frames } from './hostile-frames.js';

describe('floods', () => {
  const field = arena();

  test('of log lines: a bounded number gets through, the rest is counted, and the host is told', async () => {
    const plugin = await field.start();
    const lines = frames(...Array.from({ length: 10_000 }, (_, index) => [2, 'log.write', { level: 'info', message: `flood ${index}` }]));
    await plugin.call('say', { bytes: lines, times: 3 });
    const heard = field.said.filter(
      (said) => (said as { plugin?: string; message?: string }).plugin === plugin.id && (said as { message?: string }).message?.startsWith('flood'),
    );
    expect(heard.length).toBeGreaterThan(100);
    expect(heard.length).toBeLessThanOrEqual(300);
    await plugin.stop({ graceMs: 0 });
    await until(() => field.said.some((said) => /dropped/.test(String((said as { message?: string }).message))), 1_500);
  });

  test('of printed lines, stdout and all: the same bound', async () => {
    const plugin = await field.start();
    await plugin.call('print', { bytes: Buffer.from('printed\n'.repeat(4_000)) });
    await plugin.call('echo');
    const heard = field.said.filter(
      (said) => (said as { plugin?: string }).plugin === plugin.id && (said as { message?: string }).message === 'printed',
    );
    expect(heard.length).toBeLessThanOrEqual(300);
  });

  test('of subscriptions: no more than 256, and none is made twice', async () => {
    const plugin = await field.start({ requests: ['{ capability: events.subscribe, reason: x }'] });
    for (let index = 0; index < 256; index++)
      expect(await ask(plugin, 'events.subscribe', { pattern: `t${index}.*` })).toMatchObject({ error: null });
    expect(await ask(plugin, 'events.subscribe', { pattern: 'one.more' })).toMatchObject({ error: { code: 'OVERLOADED' } });
    expect(await ask(plugin, 'events.subscribe', { pattern: 't0.*' })).toMatchObject({ error: null });
  });

  test('of events to a subscriber that gives no credit: the oldest are dropped and counted, others get theirs', async () => {
    const plugin = await field.start({ requests: ['{ capability: events.subscribe, reason: x }'] });
    await ask(plugin, 'events.subscribe', { pattern: 'flood.*' });
    let heard = 0;
    const off = field.host.events.subscribe('flood.*', () => void heard++);
    await Promise.all(Array.from({ length: 2_500 }, () => field.host.events.publish('flood.a', 'x'.repeat(400))));
    await until(() => heard === 2_500, 3_000);
    off();
    // Now it gives credit: what is left arrives, and what was dropped is counted.
    await plugin.call('say', { bytes: frames([10, 0, 50_000_000]) });
    const delivered: { readonly missed?: number }[] = [];
    const missed = (): number => delivered.reduce((sum, each) => sum + (each.missed ?? 0), 0);
    for (let round = 0; round < 20 && delivered.length + missed() < 2_500; round++) {
      delivered.push(...((await arrived(plugin, 'events.deliver')) as { missed?: number }[]));
    }
    expect(missed()).toBeGreaterThan(0);
    expect(delivered.length + missed()).toBe(2_500);
    expect(plugin.state).toBe('active');
  });

  test('of values: a full storage says so, and stays readable', async () => {
    const plugin = await field.start({ requests: ['{ capability: storage.write, reason: x }', '{ capability: storage.read, reason: x }'] });
    let refused: string | undefined;
    for (let index = 0; index < 12 && refused === undefined; index++) {
      refused = (await ask(plugin, 'storage.set', { key: `k${index}`, value: 'v'.repeat(1_500_000) })).error?.code;
    }
    expect(refused).toBe('QUOTA_EXCEEDED');
    expect(await ask(plugin, 'storage.list', {})).toMatchObject({ error: null });
    expect(await ask(plugin, 'storage.delete', { key: 'k0' })).toMatchObject({ result: { deleted: true } });
  });

  test('of denied attempts: each is told so, and the records are of bounded size', async () => {
    const plugin = await field.start({ requests: ['{ capability: storage.read, keys: [own], reason: x }'] });
    const attempts = frames(
      ...Array.from({ length: 200 }, (_, index) => [0, 1_001 + 2 * index, 'storage.get', { key: `${index} ${'k'.repeat(500)}` }]),
    );
    await plugin.call('say', { bytes: attempts });
    await plugin.call('echo');
    const records = field.host.audit({ pluginId: plugin.id, kind: 'decision' });
    expect(records.length).toBeGreaterThan(0);
    expect(records.length).toBeLessThanOrEqual(200);
    for (const record of records) expect(JSON.stringify(record).length).toBeLessThan(3_000);
  });
});
