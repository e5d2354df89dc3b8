import { describe, expect, test } from 'vitest';
import { memoryStorage } from '../../src/services/memory-storage.js';
import { allow, createRig, deny, rejection, startFake } from '../host/support.js';

describe('memory storage', () => {
  test('keeps each plugin in a space of its own', async () => {
    const storage = memoryStorage();
    await storage.set('a', 'key', 1);
    await storage.set('b', 'key', 2);
    expect([storage.get('a', 'key'), storage.get('b', 'key'), storage.get('c', 'key')]).toEqual([1, 2, undefined]);
    expect([storage.delete('a', 'key'), storage.delete('a', 'key'), storage.delete('c', 'key')]).toEqual([true, false, false]);
    expect(storage.get('b', 'key')).toBe(2);
  });

  test('lists keys by prefix, sorted', async () => {
    const storage = memoryStorage();
    for (const key of ['b/2', 'a/2', 'a/1', 'ab']) await storage.set('p', key, null);
    expect(storage.list('p', { prefix: 'a/', after: '', limit: 100 })).toEqual(['a/1', 'a/2']);
    expect(storage.list('p', { prefix: '', after: '', limit: 100 })).toEqual(['a/1', 'a/2', 'ab', 'b/2']);
    expect(storage.list('q', { prefix: '', after: '', limit: 100 })).toEqual([]);
  });

  test('has names of objects for keys, and of plugins', async () => {
    const storage = memoryStorage();
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(storage.get(name, name)).toBeUndefined();
      await storage.set(name, name, 'own');
      expect(storage.get(name, name)).toBe('own');
      expect(storage.list(name, { prefix: '', after: '', limit: 100 })).toEqual([name]);
    }
  });

  test('a plugin has so many keys, and what it deletes or overwrites counts no more', async () => {
    const storage = memoryStorage({ maxKeys: 2 });
    await storage.set('p', 'a', 1);
    await storage.set('p', 'b', 1);
    expect(() => storage.set('p', 'c', 1)).toThrow(expect.objectContaining({ code: 'QUOTA_EXCEEDED', message: expect.stringContaining('2 keys') }));
    await storage.set('p', 'b', 2);
    await storage.delete('p', 'a');
    await storage.set('p', 'c', 1);
    await storage.set('q', 'c', 1);
    expect(storage.list('p', { prefix: '', after: '', limit: 100 })).toEqual(['b', 'c']);
  });

  test('and so many bytes, whatever they are hidden in', async () => {
    const storage = memoryStorage({ maxBytes: 10_000 });
    const large = [
      'x'.repeat(6_000),
      new Uint8Array(11_000),
      { deep: { list: Array.from({ length: 2_000 }, () => 1) } },
      Array.from({ length: 1_300 }, () => null),
      { ['k'.repeat(6_000)]: 1 },
    ];
    for (const value of large) expect(() => storage.set('p', 'key', value)).toThrow(expect.objectContaining({ code: 'QUOTA_EXCEEDED' }));
    expect(storage.get('p', 'key')).toBeUndefined();
    for (let round = 0; round < 100; round += 1) {
      await storage.set('p', 'key', new Uint8Array(9_000));
      await storage.set('p', 'key', 'small');
      await storage.delete('p', 'key');
    }
    await storage.set('p', 'key', new Uint8Array(9_900));
    expect(() => storage.set('p', 'other', 'x'.repeat(100))).toThrow(expect.objectContaining({ code: 'QUOTA_EXCEEDED' }));
    expect((storage.get('p', 'key') as Uint8Array).length).toBe(9_900);
  });
});

describe('the storage of a plugin', () => {
  test('tells what was not set from what was set to nil', async () => {
    const rig = createRig({ rules: [allow('storage.read'), allow('storage.write')] });
    const requests = [
      { capability: 'storage.read', keys: ['*'] },
      { capability: 'storage.write', keys: ['*'] },
    ];
    const { plugin } = await startFake(rig, {
      requests,
      plugin: { methods: { call: (params, ctx) => ctx.call((params as { method: string }).method, (params as { args: unknown }).args) } },
    });
    const call = (method: string, args: unknown) => plugin.call('call', { method, args });
    expect(await call('storage.get', { key: 'a' })).toEqual({ found: false, value: null });
    await call('storage.set', { key: 'a', value: null });
    await call('storage.set', { key: 'b' });
    expect(await call('storage.get', { key: 'a' })).toEqual({ found: true, value: null });
    expect(await call('storage.get', { key: 'b' })).toEqual({ found: true, value: null });
    expect(await call('storage.list', {})).toEqual({ keys: ['a', 'b'], more: false });
    expect(await call('storage.delete', { key: 'b' })).toEqual({ deleted: true });
    expect(await call('storage.delete', { key: 'b' })).toEqual({ deleted: false });
  });

  test('a list needs all that it touches', async () => {
    const rig = createRig({ rules: [allow('storage.read', { keys: ['a/*'] }), deny('storage.read', { keys: ['a/hidden'] })] });
    const { plugin } = await startFake(rig, {
      requests: [{ capability: 'storage.read', keys: ['a/*'], optional: true }],
      plugin: { methods: { list: (params, ctx) => ctx.storage.list((params as { prefix?: string }).prefix) } },
    });
    await plugin.approve({ by: 'ada' });
    expect(await plugin.call('list', { prefix: 'a/b/' })).toEqual([]);
    for (const prefix of [undefined, '', 'a', 'a/', 'a/h', 'b/'])
      expect((await rejection(plugin.call('list', { prefix }))).code).toBe('CAPABILITY_DENIED');
  });
});

test('keys are listed in parts, in order, also after changes', async () => {
  const storage = memoryStorage();
  for (let index = 0; index < 25; index++) await storage.set('a', `k/${String(index).padStart(2, '0')}`, index);
  await storage.set('a', 'l', 1);
  const page = (after: string): readonly string[] => storage.list('a', { prefix: 'k/', after, limit: 10 }) as readonly string[];
  expect(page('').length).toBe(10);
  expect(page('k/09')[0]).toBe('k/10');
  expect(page('k/19')).toEqual(['k/20', 'k/21', 'k/22', 'k/23', 'k/24']);
  await storage.delete('a', 'k/22');
  await storage.set('a', 'k/215', 1);
  expect(page('k/19')).toEqual(['k/20', 'k/21', 'k/215', 'k/23', 'k/24']);
});
