import { describe, expect, test } from 'vitest';
import type { ServiceCall } from '../../src/services/define-service.js';
import { until } from '../process/host-support.js';
import { arena, canary } from './arena.js';
import { arrived, ask, rejection } from './hostile-frames.js';

const requests = [
  '{ capability: events.publish, topics: ["mine.*"], reason: x }',
  '{ capability: events.subscribe, topics: ["news.*"], reason: x }',
  '{ capability: storage.read, keys: ["own/*"], reason: x }',
  '{ capability: storage.write, keys: ["own/*"], reason: x }',
  '{ capability: agents.message, channels: [letterbox], reason: x }',
];
const message = (channelId: string) => ({
  channelId,
  externalUserId: 'u',
  conversationId: 'c',
  text: 't',
  receivedAt: '2026-01-01T00:00:00Z',
  metadata: {},
});

describe('authority that was not granted', () => {
  const routed: ServiceCall[] = [];
  const field = arena({
    routeMessage: (_message, call) => {
      routed.push(call);
      return new Promise((resolve) => call.signal.addEventListener('abort', () => resolve()));
    },
  });

  test('scope tricks: each is refused, each denial is in the audit, and nothing happens', async () => {
    const plugin = await field.start({ requests });
    const heard: unknown[] = [];
    const off = field.host.events.subscribe('**', (event) => void heard.push(event));
    const tricks: [string, unknown][] = [
      ...[
        'mine',
        'mine.a.b',
        'minea.b',
        'other.x',
        'mine.*',
        'mine.**',
        'MINE.a',
        'mine.a\n',
        'mine..a',
        'mine.',
        '.a',
        'mine.a\u0000',
        '**',
        '',
      ].map((topic): [string, unknown] => ['events.publish', { topic, payload: 1 }]),
      ...['**', 'news.**', '*.*', 'news', 'other.*', 'new?.a', 'news.*.x'].map((pattern): [string, unknown] => ['events.subscribe', { pattern }]),
      ...['own', 'ownx', 'other/1', '*', '../own/1', 'ow*', 'Own/1', '/own/1', '\u001b[31m', ''].flatMap((key): [string, unknown][] => [
        ['storage.get', { key }],
        ['storage.set', { key, value: 1 }],
        ['storage.delete', { key }],
      ]),
      ...[undefined, null, '', 'ow', 'own', '*'].map((prefix): [string, unknown] => ['storage.list', { prefix }]),
      ...['Letterbox', 'letterbox ', 'letterbox\u200b', '*', 'letter\u0000box', 'other'].map((channel): [string, unknown] => [
        'agents.message',
        message(channel),
      ]),
    ];
    for (const [method, params] of tricks) {
      const before = field.host.audit({ pluginId: plugin.id, kind: 'decision' }).length;
      const { error } = await ask(plugin, method, params);
      expect({ method, params, code: error?.code }).toMatchObject({ code: expect.stringMatching(/^(CAPABILITY_DENIED|INVALID_PARAMS)$/) });
      const after = field.host.audit({ pluginId: plugin.id, kind: 'decision' });
      if (error?.code === 'CAPABILITY_DENIED') expect(after.at(-1)).toMatchObject({ effect: 'deny', method, decisionId: error.details?.decisionId });
      else expect(after).toHaveLength(before);
    }
    off();
    expect(heard).toEqual([]);
    expect(routed).toEqual([]);
  });

  test.each([
    'constructor',
    '__proto__',
    'toString',
    'storage.constructor',
    'storage.__proto__',
    'storage.get.call',
    'storage',
    'plugin.load',
    'plugin.stop',
    'events.deliver',
    'grants.changed',
    'host.stop',
    'Storage.get',
    'storage/get',
  ])('there is no method %s', async (method) => {
    const plugin = field.neighbour;
    expect(await ask(plugin, method, { key: 'own/1' })).toMatchObject({ error: { code: 'METHOD_NOT_FOUND' }, result: null });
  });

  test.each<[string, unknown]>([
    ['no map', [1, 2]],
    ['nothing', null],
    ['a text', 'own/1'],
    ['keys as a list', { key: ['own/1', 'other'] }],
    ['a key that is a map', { key: { toString: 'own/1' } }],
    ['names of an object', { constructor: { prototype: 1 }, hasOwnProperty: 1 }],
    ['a key of 600 characters', { key: `own/${'k'.repeat(600)}` }],
  ])('params of a shape that nobody expects: %s', async (_name, params) => {
    const { error } = await ask(field.neighbour, 'storage.get', params);
    expect(error).toMatchObject({ code: 'INVALID_PARAMS' });
    expect(error?.message.length).toBeLessThan(4_097);
  });

  test('one plugin does not reach the storage, the configuration or the events of another', async () => {
    const one = await field.start({ requests });
    const other = await field.start({ requests, install: { config: { token: 'another-token-of-its-own' } } });
    expect(await ask(one, 'storage.set', { key: 'own/1', value: 'of one' })).toMatchObject({ error: null });
    expect(await ask(other, 'storage.get', { key: 'own/1' })).toMatchObject({ result: { found: false } });
    expect(await ask(other, 'storage.list', { prefix: 'own/' })).toMatchObject({ result: { keys: [] } });
    expect(await ask(other, 'storage.delete', { key: 'own/1' })).toMatchObject({ result: { deleted: false } });
    expect(await ask(other, 'config.get', { pluginId: one.id, plugin: one.id })).toMatchObject({
      result: { config: { token: 'another-token-of-its-own' } },
    });
    expect(await ask(one, 'events.subscribe', { pattern: 'news.*' })).toMatchObject({ error: null });
    expect(await ask(other, 'events.unsubscribe', { pattern: 'news.*' })).toMatchObject({ error: null });
    await field.host.events.publish('news.today', 1);
    expect(await arrived(one, 'events.deliver')).toHaveLength(1);
    expect(await arrived(other, 'events.deliver')).toHaveLength(0);
  });

  test('an event bears the name of who published it, and a log line of who wrote it', async () => {
    const plugin = await field.start({ requests });
    const heard: { source: string; id: string; timestamp: string }[] = [];
    const off = field.host.events.subscribe('mine.*', (event) => void heard.push(event));
    const forged = { topic: 'mine.a', payload: { source: 'host' }, source: 'host', id: 'forged', timestamp: 'forged', missed: 7 };
    await ask(plugin, 'events.publish', forged);
    off();
    expect(heard).toMatchObject([{ source: plugin.id, topic: 'mine.a', payload: { source: 'host' } }]);
    expect(heard[0]).not.toMatchObject({ id: 'forged' });
    expect(heard[0]).not.toHaveProperty('missed');
    await ask(plugin, 'log.write', {
      level: 'info',
      message: 'm',
      plugin: 'neighbour',
      worker: 'w',
      source: 'host',
      fields: { plugin: 'neighbour' },
    });
    const line = field.said.find((said) => (said as { message?: string }).message === 'm' && (said as { plugin?: string }).plugin !== undefined);
    expect(line).toMatchObject({ plugin: plugin.id, source: 'log' });
  });

  test('a parent that is settled, foreign or its own is no parent, and nobody acts for another', async () => {
    const plugin = await field.start({ requests });
    for (const parent of [2, 4_242, 1, 0, 2 ** 40]) {
      expect(await ask(plugin, 'config.get', {}, [0, null, null, parent])).toMatchObject({ error: { code: 'CANCELLED' } });
    }
    expect(await ask(plugin, 'config.get', {}, [0, null, null, null, null, 'neighbour'])).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } });
    expect(await ask(plugin, 'config.get', {}, [0, null, null, 'THIS'])).toMatchObject({ error: null });
    for (const flags of [1, 2, 3]) expect(await ask(plugin, 'config.get', {}, [flags])).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } });
  });

  test('a nested call does not outlive its parent, whatever time it asks for', async () => {
    const plugin = await field.start({ requests });
    routed.length = 0;
    const asked = { method: 'agents.message', params: message('letterbox'), extra: [0, 2 ** 50, null, 'THIS'] };
    expect(await rejection(plugin.call('ask', asked, { timeoutMs: 300 }))).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await until(() => routed.length === 1 && routed[0]?.signal.aborted === true, 2_000);
    expect(routed[0]?.deadlineAt).toBeLessThan(performance.now() + 300);
  });

  test('calls in the name of a call in flight do not hold up a stop', async () => {
    const plugin = await field.start({ requests });
    const endless = rejection(plugin.call('ask_without_end', { method: 'config.get', params: {} }));
    await until(() => (field.host.audit({ pluginId: plugin.id, kind: 'calls' }).length ?? 0) > 0);
    const began = performance.now();
    await plugin.stop({ graceMs: 200 });
    expect(performance.now() - began).toBeLessThan(2_500);
    expect((await endless).code).toMatch(/^(WORKER_LOST|CANCELLED)$/);
    expect(plugin.state).toBe('idle');
  });

  test('what is revoked ends: the next call, and the events of a subscription that was made before', async () => {
    const plugin = await field.start({ requests });
    await ask(plugin, 'events.subscribe', { pattern: 'news.*' });
    await field.host.events.publish('news.first', 1);
    expect(await arrived(plugin, 'events.deliver')).toHaveLength(1);
    for (const grant of plugin.grants) await field.host.revoke(grant.id, { by: 'operator', reason: 'hostile' });
    await field.host.events.publish('news.second', 2);
    expect(await arrived(plugin, 'events.deliver')).toHaveLength(0);
    expect(await ask(plugin, 'events.subscribe', { pattern: 'news.*' })).toMatchObject({ error: { code: 'CAPABILITY_DENIED' } });
    expect(await ask(plugin, 'storage.get', { key: 'own/1' })).toMatchObject({ error: { code: 'CAPABILITY_DENIED' } });
    expect(field.host.audit({ pluginId: plugin.id, kind: 'revoke' })).toHaveLength(5);
    expect(plugin.state).toBe('active');
  });

  test('what is absent is nil: an event without a payload, a value that is none', async () => {
    const plugin = await field.start({ requests });
    expect(await ask(plugin, 'events.publish', { topic: 'mine.a' })).toMatchObject({ error: null });
    expect(await ask(plugin, 'storage.set', { key: 'own/nil' })).toMatchObject({ error: null });
    expect(await ask(plugin, 'storage.get', { key: 'own/nil' })).toMatchObject({ result: { found: true, value: null } });
  });

  test('an event that several subscriptions match is delivered once', async () => {
    const plugin = await field.start({ requests: ['{ capability: events.subscribe, topics: ["**"], reason: x }'] });
    for (const pattern of ['news.*', 'news.**', '**', '*.today']) await ask(plugin, 'events.subscribe', { pattern });
    await field.host.events.publish('news.today', 1);
    expect(await arrived(plugin, 'events.deliver')).toHaveLength(1);
  });

  test('a denial tells the plugin no rule and no grant', async () => {
    const plugin = await field.start({ requests: ['{ capability: storage.read, keys: ["own/*"], reason: x }'] });
    const { error } = await ask(plugin, 'storage.get', { key: `other/${canary}` });
    expect(error).toMatchObject({ code: 'CAPABILITY_DENIED', details: { capability: 'storage.read' } });
    expect(Object.keys(error?.details ?? {}).sort()).toEqual(['capability', 'decisionId', 'scope']);
    expect(JSON.stringify(error)).not.toMatch(/own\/|rule|policy/);
  });
});
