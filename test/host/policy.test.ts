import { describe, expect, test } from 'vitest';
import type { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { memoryGrantStore } from '../../src/policy/grant-store.js';
import type { Plan } from '../../src/policy/plan.js';
import { allow, createRig, deny, gate, type InstallParts, installFake, manifestText, rejection, startFake } from './support.js';

const read = { capability: 'storage.read', keys: ['a/*'] };
const write = { capability: 'storage.write', keys: ['a/*'] };

/** A plugin whose methods do what they are told with its storage; what is refused is handed out. */
const storing: NonNullable<InstallParts['plugin']> = {
  methods: {
    get: (params, ctx) => ctx.storage.get((params as { key: string }).key),
    set: (params, ctx) => ctx.storage.set((params as { key: string }).key, 'value'),
    grants: (_params, ctx) => ctx.grants.map(({ capability }) => capability),
  },
};

const denialOf = async (call: Promise<unknown>): Promise<WorkerRuntimeError> => rejection(call);

describe('what is granted', () => {
  test('[policy.nothing-by-default] without a rule nothing is, and a start awaits approval', async () => {
    const rig = createRig();
    const { plugin, workers } = await installFake(rig, { plugin: storing, requests: [read] });
    const error = await rejection(plugin.start());
    expect(error).toMatchObject({ code: 'APPROVAL_REQUIRED', reason: { code: 'APPROVAL_REQUIRED', action: expect.stringContaining('plan') } });
    expect(workers).toHaveLength(0);
    expect(rig.host.grants()).toEqual([]);
    const bare = await startFake(rig, { id: 'bare', plugin: storing });
    expect(await denialOf(bare.plugin.call('get', { key: 'a/1' }))).toMatchObject({ code: 'CAPABILITY_DENIED' });
  });

  test('[policy.plan] [policy.approval-required] the refusal carries the plan, and approval makes it start', async () => {
    const rig = createRig({ rules: [allow('storage.read', { keys: ['a/*'] })] });
    const { plugin } = await installFake(rig, { plugin: storing, requests: [read, write] });
    const error = await rejection(plugin.start());
    const plan = error.details.plan as Plan;
    expect(plan).toMatchObject({
      status: 'needs-approval',
      items: [
        {
          outcome: 'granted',
          code: 'ALLOWED_BY_RULE',
          rule: { index: 0, effect: 'allow', file: 'policy.yml' },
          sentence: 'read a/* of its own storage',
        },
        { outcome: 'needs-approval', code: 'NOT_COVERED' },
      ],
    });
    expect(plugin).toMatchObject({ state: 'pending', reason: { code: 'APPROVAL_REQUIRED', message: expect.stringContaining('storage.write') } });
    const [grant] = await plugin.approve({ by: 'ada', reason: 'it needs to' });
    expect(grant).toMatchObject({ capability: 'storage.write', by: 'ada', reason: 'it needs to' });
    await plugin.start();
    await plugin.call('set', { key: 'a/1' });
    expect(rig.host.grants('tested').map(({ capability, by }) => [capability, by])).toEqual([
      ['storage.read', 'policy'],
      ['storage.write', 'ada'],
    ]);
    expect(rig.host.audit({ kind: 'grant' })).toMatchObject([
      { capability: 'storage.read', by: 'policy' },
      { capability: 'storage.write', by: 'ada', reason: 'it needs to' },
    ]);
  });

  test('single items are approved by name or as they stand in the plan; what the manifest does not request cannot be', async () => {
    const rig = createRig();
    const { plugin } = await installFake(rig, { requests: [read, write] });
    expect(await plugin.approve({ by: 'ada', items: ['storage.read'] })).toHaveLength(1);
    expect(await rejection(plugin.start())).toMatchObject({ code: 'APPROVAL_REQUIRED', message: expect.not.stringContaining('storage.read') });
    const [, second] = (await plugin.plan()).items;
    expect(await plugin.approve({ by: 'ada', items: [second!] })).toMatchObject([{ capability: 'storage.write' }]);
    expect(await plugin.approve({ by: 'ada' })).toEqual([]);
    await plugin.start();
    expect(await rejection(plugin.approve({ by: 'ada', items: ['network.http'] }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('network.http'),
    });
    expect((await rejection(plugin.approve({ by: ' ' }))).code).toBe('INVALID_ARGUMENT');
    for (const expires of [new Date(Number.NaN), new Date(rig.clock.wallTime())]) {
      expect((await rejection(plugin.approve({ by: 'ada', expires }))).code).toBe('INVALID_ARGUMENT');
    }
  });

  test('an optional request that is denied is done without', async () => {
    const rig = createRig({ rules: [deny('storage.read')] });
    const { plugin } = await startFake(rig, { plugin: storing, requests: [{ ...read, optional: true }] });
    expect((await plugin.plan()).items).toMatchObject([{ outcome: 'denied', code: 'DENIED_BY_RULE', optional: true }]);
    expect(await plugin.call('grants')).toEqual([]);
    expect((await denialOf(plugin.call('get', { key: 'a/1' }))).code).toBe('CAPABILITY_DENIED');
  });

  test('[policy.nothing-by-default] a deny rule wins over an approval, at the start and at the call', async () => {
    const rig = createRig({ rules: [deny('storage.read', { keys: ['a/secret'] }), deny('storage.write')] });
    const { plugin } = await installFake(rig, { plugin: storing, requests: [read, write] });
    const refused = await rejection(plugin.approve({ by: 'ada', items: ['storage.write'] }));
    expect(refused).toMatchObject({ code: 'CAPABILITY_DENIED', details: { capability: 'storage.write' } });
    await plugin.approve({ by: 'ada' });
    expect(await rejection(plugin.start())).toMatchObject({ code: 'CAPABILITY_DENIED', message: expect.stringContaining('storage.write') });

    const partly = await installFake(rig, { id: 'partly', plugin: storing, requests: [read] });
    await partly.plugin.approve({ by: 'ada' });
    await partly.plugin.start();
    expect(await partly.plugin.call('get', { key: 'a/1' })).toBeUndefined();
    expect(await denialOf(partly.plugin.call('get', { key: 'a/secret' }))).toMatchObject({
      code: 'CAPABILITY_DENIED',
      details: { scope: { keys: ['a/secret'] } },
    });
    expect(rig.host.audit({ pluginId: 'partly', kind: 'decision' })).toMatchObject([
      { rule: expect.stringMatching(/^policy\.yml:/), missing: { keys: ['a/secret'] } },
    ]);
  });

  test('a capability that nothing guards here is denied as not offered', async () => {
    const rig = createRig({ rules: [allow('network.http')] });
    const { plugin } = await installFake(rig, { requests: [{ capability: 'network.http', hosts: ['example.com'] }] });
    expect(await plugin.plan()).toMatchObject({ status: 'denied', items: [{ outcome: 'denied', code: 'NOT_OFFERED' }] });
    expect((await rejection(plugin.start())).code).toBe('CAPABILITY_DENIED');
    expect((await rejection(plugin.approve({ by: 'ada', items: ['network.http'] }))).code).toBe('CAPABILITY_DENIED');
    expect(rig.host.grants()).toEqual([]);
  });

  test('a plan changes nothing, whatever is in the store', async () => {
    const grantStore = memoryGrantStore();
    const rig = createRig({ grantStore });
    const { plugin } = await startFake(rig, { plugin: storing, requests: [{ ...read, optional: true }] });
    const [grant] = await plugin.approve({ by: 'ada' });
    await rig.clock.runUntil(plugin.stop());
    await grantStore.remove([grant!.id]);
    expect((await plugin.plan()).items).toMatchObject([{ outcome: 'needs-approval' }]);
    expect(plugin.grants).toHaveLength(1);
    await plugin.start();
    expect(plugin.grants).toEqual([]);
  });

  test('approvals are pinned to the manifest that was approved', async () => {
    const rig = createRig();
    const { plugin, source } = await installFake(rig, { requests: [read] });
    await plugin.approve({ by: 'ada' });
    await rig.host.install({ ...source, manifest: manifestText({ requests: [read], version: '1.0.1' }) });
    expect((await plugin.plan()).status).toBe('needs-approval');
    expect(plugin.grants).toEqual([]);
    await rig.host.install(source);
    await plugin.start();
  });
});

describe('what ends', () => {
  test('[policy.denial-explains] [audit.decisions] a denial names capability, scope and decision id, and the rule stands in the audit only', async () => {
    const rig = createRig({ rules: [allow('storage.read', { keys: ['a/*'] }), deny('storage.read', { keys: ['a/x/*'] })] });
    const { plugin, workers } = await installFake(rig, { plugin: storing, requests: [{ ...read, optional: true }] });
    await plugin.approve({ by: 'ada' });
    await plugin.start();
    const error = await denialOf(plugin.call('get', { key: 'a/x/1' }));
    expect(error).toMatchObject({
      code: 'CAPABILITY_DENIED',
      retryable: false,
      details: { capability: 'storage.read', scope: { keys: ['a/x/1'] }, decisionId: expect.any(String) },
    });
    const [record, ...others] = rig.host.audit({ kind: 'decision' });
    expect(others).toEqual([]);
    expect(record).toMatchObject({
      pluginId: 'tested',
      workerId: workers[0]?.request.workerId,
      generation: 1,
      decisionId: error.details.decisionId,
      effect: 'deny',
      method: 'storage.get',
      capability: 'storage.read',
      scope: { keys: ['a/x/1'] },
      rule: expect.stringMatching(/^policy\.yml:/),
      reason: expect.stringContaining('a/x/1'),
    });
    expect(JSON.stringify([error, error.message, error.details])).not.toMatch(/policy\.yml|ada/);
  });

  test('a scope that is not granted is named alone, without what is', async () => {
    const rig = createRig({ rules: [allow('storage.read', { keys: ['a/*', 'other/*'] })] });
    const { plugin } = await startFake(rig, { plugin: storing, requests: [read] });
    const error = await denialOf(plugin.call('get', { key: 'b/1' }));
    expect(error.details).toMatchObject({ capability: 'storage.read', scope: { keys: ['b/1'] } });
    expect(error.message).not.toContain('a/*');
  });

  test('a confirm rule asks for a confirmation that nobody can give yet, each time', async () => {
    const rig = createRig({ rules: [allow('storage.read'), { effect: 'confirm', capability: 'storage.read', scope: { keys: ['a/hot'] } }] });
    const { plugin } = await startFake(rig, { plugin: storing, requests: [read] });
    expect(await plugin.call('get', { key: 'a/1' })).toBeUndefined();
    for (let round = 0; round < 2; round += 1) {
      expect(await denialOf(plugin.call('get', { key: 'a/hot' }))).toMatchObject({ code: 'CONFIRMATION_REQUIRED', retryable: true });
    }
    expect(rig.host.audit({ kind: 'decision' })).toMatchObject([{ effect: 'confirm' }, { effect: 'confirm' }]);
  });

  test('[policy.grants-expire] an expired grant denies the next call, and is no live grant any more', async () => {
    const rig = createRig();
    const { plugin } = await installFake(rig, { plugin: storing, requests: [read] });
    await plugin.approve({ by: 'ada', expires: new Date(rig.clock.wallTime() + 60_000) });
    await plugin.start();
    await rig.clock.advance(59_999);
    expect(await plugin.call('get', { key: 'a/1' })).toBeUndefined();
    await rig.clock.advance(1);
    expect(await denialOf(plugin.call('get', { key: 'a/1' }))).toMatchObject({
      code: 'CAPABILITY_DENIED',
      message: expect.stringContaining('expired'),
    });
    expect(plugin.grants).toEqual([]);
    await rig.clock.runUntil(plugin.stop());
    expect((await rejection(plugin.start())).code).toBe('APPROVAL_REQUIRED');
  });

  test('a revoke bites at the next call, the worker lives on and knows', async () => {
    const rig = createRig();
    const { plugin } = await installFake(rig, { plugin: storing, requests: [read, write] });
    await plugin.approve({ by: 'ada' });
    await plugin.start();
    expect(await plugin.call('grants')).toEqual(['storage.read', 'storage.write']);
    const grant = rig.host.grants().find(({ capability }) => capability === 'storage.read')!;
    const revoking = rig.host.revoke(grant.id, { by: 'bob', reason: 'not any more' });
    // Before the store has answered.
    expect(plugin.grants.map(({ capability }) => capability)).toEqual(['storage.write']);
    await revoking;
    expect((await denialOf(plugin.call('get', { key: 'a/1' }))).code).toBe('CAPABILITY_DENIED');
    expect(await plugin.call('grants')).toEqual(['storage.write']);
    expect(plugin.state).toBe('active');
    expect(rig.host.audit({ kind: 'revoke' })).toMatchObject([{ grantId: grant.id, capability: 'storage.read', by: 'bob', reason: 'not any more' }]);
    expect((await rejection(rig.host.revoke(grant.id, { by: 'bob' }))).code).toBe('INVALID_ARGUMENT');
    expect((await rejection(rig.host.revoke('no-such', { by: 'bob' }))).message).toContain('host.grants()');
    expect((await rejection(rig.host.revoke(rig.host.grants()[0]!.id, { by: '' }))).code).toBe('INVALID_ARGUMENT');
  });

  test('a revoke is not undone by a store that was being read meanwhile', async () => {
    const inner = memoryGrantStore();
    const reading = gate();
    let slow = false;
    const rig = createRig({
      grantStore: {
        ...inner,
        async list(filter) {
          const grants = await inner.list(filter);
          if (slow) await reading.promise;
          return grants;
        },
      },
    });
    const { plugin } = await installFake(rig, { plugin: storing, requests: [{ ...read, optional: true }] });
    const [grant] = await plugin.approve({ by: 'ada' });
    slow = true;
    const starting = plugin.start();
    const revoking = rig.host.revoke(grant!.id, { by: 'bob' });
    await revoking;
    reading.open();
    await starting;
    expect(plugin.grants).toEqual([]);
    expect((await denialOf(plugin.call('get', { key: 'a/1' }))).code).toBe('CAPABILITY_DENIED');
  });

  test('a store that cannot remove a grant does not keep it in force', async () => {
    const rig = createRig({ grantStore: { ...memoryGrantStore(), remove: () => Promise.reject(new Error('disk full')) } });
    const { plugin } = await installFake(rig, { plugin: storing, requests: [{ ...read, optional: true }] });
    const [grant] = await plugin.approve({ by: 'ada' });
    await plugin.start();
    await expect(rig.host.revoke(grant!.id, { by: 'bob' })).rejects.toThrow('disk full');
    expect((await denialOf(plugin.call('get', { key: 'a/1' }))).code).toBe('CAPABILITY_DENIED');
    expect(await plugin.call('grants')).toEqual([]);
    await plugin.plan();
    await rig.clock.runUntil(plugin.stop());
    await plugin.start();
    expect(plugin.grants).toEqual([]);
  });

  test('a grant of the policy that was revoked stays so until it is approved', async () => {
    const rig = createRig({ rules: [allow('storage.read')] });
    const { plugin } = await startFake(rig, { plugin: storing, requests: [read] });
    await rig.host.revoke(rig.host.grants()[0]!.id, { by: 'bob' });
    expect((await denialOf(plugin.call('get', { key: 'a/1' }))).code).toBe('CAPABILITY_DENIED');
    expect(await plugin.plan()).toMatchObject({ status: 'needs-approval', items: [{ explanation: expect.stringContaining('revoked') }] });
    await rig.clock.runUntil(plugin.stop());
    expect((await rejection(plugin.start())).code).toBe('APPROVAL_REQUIRED');
    await plugin.approve({ by: 'ada' });
    await plugin.start();
    expect(await plugin.call('get', { key: 'a/1' })).toBeUndefined();
  });

  test('grants that change while the worker loads reach it when it is ready', async () => {
    const rig = createRig();
    const loading = gate();
    const { plugin } = await installFake(rig, { plugin: { ...storing, onLoad: () => loading.promise }, requests: [{ ...read, optional: true }] });
    const starting = plugin.start();
    await rig.clock.settle();
    await plugin.approve({ by: 'ada' });
    loading.open();
    await starting;
    expect(await plugin.call('grants')).toEqual(['storage.read']);
  });

  test('grants that change while the worker does not read reach it when it reads again', async () => {
    const rig = createRig();
    const { plugin, workers } = await startFake(rig, {
      plugin: storing,
      requests: [{ ...read, optional: true }],
      launcher: { highWaterMark: 1_024 },
    });
    workers[0]!.pair.faults[0].stall();
    // More than the connection takes at once.
    const calls = [0, 1, 2].map(() => plugin.call('grants', { filler: 'x'.repeat(1_000) }));
    await rig.clock.settle();
    await plugin.approve({ by: 'ada' });
    workers[0]!.pair.faults[0].resume();
    await Promise.all(calls);
    await rig.clock.settle();
    expect(await plugin.call('grants')).toEqual(['storage.read']);
  });
});
