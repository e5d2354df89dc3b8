import { describe, expect, test } from 'vitest';
import { networkHttp } from '../../src/capabilities/index.js';
import { attenuate, createGrant, type Grant, memoryGrantStore } from '../../src/policy/index.js';
import { catalogue, grant, request, scopeOf, subject } from './fixtures.js';

describe('createGrant', () => {
  test('pins the grant to plugin, manifest and content', () => {
    const pinned = { ...subject, contentDigest: 'c1' };
    expect(
      createGrant(request('secrets.read', { names: ['a'] }, { reason: 'of the author' }), pinned, {
        id: 'g',
        by: 'ada',
        grantedAt: '2026-01-01T00:00:00Z',
        reason: 'agreed',
      }),
    ).toEqual({
      id: 'g',
      pluginId: 'summarizer',
      manifestDigest: 'd1',
      contentDigest: 'c1',
      capability: 'secrets.read',
      scope: { names: ['a'] },
      by: 'ada',
      grantedAt: '2026-01-01T00:00:00Z',
      reason: 'agreed',
    });
  });
});

describe('memoryGrantStore', () => {
  test('keeps, lists and removes', async () => {
    const store = memoryGrantStore();
    const [one, other] = [grant('test.bell'), grant('test.bell', {}, { pluginId: 'other' })];
    await store.add([one, other]);
    expect(await store.list()).toEqual([one, other]);
    expect(await store.list({ pluginId: 'other' })).toEqual([other]);
    expect(await store.list({ pluginId: 'constructor' })).toEqual([]);
    expect(await store.remove([one.id, 'unknown', one.id])).toEqual([one]);
    expect(await store.remove([one.id])).toEqual([]);
    expect(await store.list()).toEqual([other]);
  });

  test('a grant never changes: not by its id, and not by the object that was handed in', async () => {
    const store = memoryGrantStore();
    const names = ['a'];
    const one: Grant = grant('secrets.read', {}, { scope: { names } });
    await store.add([one]);
    names.push('b');
    expect((await store.list())[0]?.scope).toEqual({ names: ['a'] });
    const listed = (await store.list())[0]?.scope.names as string[];
    expect(() => listed.push('c')).toThrow(TypeError);
    const fresh = grant('test.bell');
    await expect(store.add([fresh, { ...one, scope: { names: ['*'] } }])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(store.add([fresh, fresh])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await store.list()).toHaveLength(1);
  });
});

describe('attenuate', () => {
  const wide = grant('network.http', { hosts: ['*.example.com', 'b.org'] }, { expiresAt: '2026-06-01T00:00:00Z' });
  const to = (raw: object, expiresAt?: string) => [
    { capability: 'network.http', scope: scopeOf(networkHttp, { ...raw }), ...(expiresAt === undefined ? {} : { expiresAt }) },
  ];

  test('narrows the scope and keeps the identity', () => {
    expect(attenuate([wide], to({ hosts: ['api.example.com', 'c.org'], methods: ['GET'] }), catalogue)).toEqual([
      { ...wide, scope: { hosts: ['api.example.com'], methods: ['GET'], ports: ['*'], schemes: ['*'] } },
    ]);
  });

  test('leaves out what has nothing in common, is not named, or is unknown', () => {
    expect(attenuate([wide], to({ hosts: ['c.org'] }), catalogue)).toEqual([]);
    expect(attenuate([wide, grant('test.bell')], [], catalogue)).toEqual([]);
    expect(attenuate([{ ...wide, capability: 'constructor' }], to({}), catalogue)).toEqual([]);
  });

  test('the earlier end holds, and one that cannot be read has passed', () => {
    const endOf = (limit: string | undefined, own: Grant = wide) => attenuate([own], to({}, limit), catalogue)[0]?.expiresAt;
    expect(endOf('2026-05-01T00:00:00Z')).toBe('2026-05-01T00:00:00Z');
    expect(endOf('2026-07-01T00:00:00Z')).toBe('2026-06-01T00:00:00Z');
    expect(endOf(undefined)).toBe('2026-06-01T00:00:00Z');
    expect(endOf('2027-01-01T00:00:00Z', grant('network.http'))).toBe('2027-01-01T00:00:00Z');
    expect(endOf('whenever')).toBe('whenever');
  });
});
