import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { builtinCapabilities, storageRead } from '../../src/capabilities/builtin-capabilities.js';
import { createCatalogue } from '../../src/capabilities/catalogue.js';
import { defineCapability } from '../../src/capabilities/define-capability.js';
import { scopes } from '../../src/capabilities/scopes.js';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { createHost } from '../../src/host/create-host.js';
import type { UntypedPlugin } from '../../src/plugin/define-plugin.js';
import { defineMethod, defineService, type Service, type ServiceCall } from '../../src/services/define-service.js';
import { memoryStorage } from '../../src/services/memory-storage.js';
import { createSimulatedPlatform } from '../../src/testing/simulated-platform.js';
import { allow, controls, createRig, installFake, rejection, startFake, textsIn } from './support.js';

/** Calls whatever it is told to call. */
const calling: UntypedPlugin = {
  methods: {
    call: async (params, ctx) => {
      const { method, args, actingFor } = params as { method: string; args?: unknown; actingFor?: string };
      try {
        return { ok: await ctx.call(method, args, actingFor === undefined ? {} : { actingFor }) };
      } catch (error) {
        const { code, message, details } = error as WorkerRuntimeError;
        return { code, message, details };
      }
    },
    stream: async (params, ctx) => {
      const stream = ctx.stream((params as { method: string }).method, {});
      return stream.result.catch((error: WorkerRuntimeError) => ({ code: error.code, message: error.message }));
    },
  },
};

const mailSend = defineCapability({ name: 'mail.send', risk: 'high', sentence: 'send mail to {domains}', scope: { domains: scopes.hostPatterns() } });
const catalogue = createCatalogue([...builtinCapabilities, mailSend]);

function mailService(handle: (params: { to: string }, call: ServiceCall) => unknown): Service {
  return defineService({
    name: 'mail',
    methods: {
      send: defineMethod({
        params: z.object({ to: z.string() }),
        capability: mailSend,
        scope: ({ to }) => ({ domains: to.split('@')[1]! }),
        handle,
      }),
    },
  });
}

const failing: Record<string, () => unknown> = {
  plain: () => {
    throw new Error('the password is swordfish');
  },
  rejects: () => Promise.reject(new TypeError('the password is swordfish')),
  thrownText: () => {
    throw 'swordfish';
  },
  typed: () => {
    throw new WorkerRuntimeError('QUOTA_EXCEEDED', 'Nothing is left.', { details: { left: 0 } });
  },
  approval: () => {
    throw new WorkerRuntimeError('APPROVAL_REQUIRED', '"neighbour" awaits approval: network.http', { details: { plan: { items: [] } } });
  },
  lost: () => Promise.reject(new WorkerRuntimeError('WORKER_LOST', 'neighbour: stderr says swordfish', { mayHaveRun: true })),
  denied: () =>
    Promise.reject(new WorkerRuntimeError('CAPABILITY_DENIED', 'neighbour lacks storage.read', { details: { capability: 'storage.read' } })),
};
const failingService = defineService({
  name: 'failing',
  methods: Object.fromEntries(Object.entries(failing).map(([name, handle]) => [name, defineMethod({ baseline: 'For tests.', handle })])),
});

describe('[policy.one-door] what passes the door', () => {
  test('methods that the host does not have are refused, with the nearest that it has', async () => {
    const rig = createRig();
    const { plugin } = await startFake(rig, { plugin: calling });
    const call = (method: string) => plugin.call('call', { method, args: {} });
    expect(await call('storage.gett')).toMatchObject({ code: 'METHOD_NOT_FOUND', message: expect.stringContaining('Did you mean "storage.get"?') });
    for (const method of [
      'constructor',
      'toString',
      '__proto__',
      '__proto__.x',
      'storage.constructor',
      'storage.__proto__',
      'hasOwnProperty',
      'plugin.load',
      'storage',
      'storage.get.get',
      'events.deliver',
    ]) {
      expect(await call(method)).toMatchObject({ code: 'METHOD_NOT_FOUND' });
    }
    expect(rig.host.audit({ kind: 'calls' })).toEqual([]);
  });

  test.each([
    ['storage.get', undefined],
    ['storage.get', { key: 1 }],
    ['storage.get', { key: '' }],
    ['storage.get', { key: 'x'.repeat(513) }],
    ['storage.get', ['key']],
    ['config.get', [1]],
    ['config.get', 'text'],
    ['health.report', { status: 'splendid' }],
    ['events.publish', { topic: 'a.b', correlationId: 'x'.repeat(257) }],
    ['agents.message', { channelId: 'a' }],
  ])('params that do not fit are refused before anything is judged: %s %o', async (method, args) => {
    const rig = createRig({ rules: [allow('*' as 'storage.read')] });
    const { plugin } = await startFake(rig, { plugin: calling });
    expect(await plugin.call('call', { method, args })).toMatchObject({ code: 'INVALID_PARAMS' });
    expect(rig.host.audit().filter(({ kind }) => kind === 'decision' || kind === 'calls')).toEqual([]);
  });

  test('acting for another, and streams of a method, are refused', async () => {
    const rig = createRig();
    const { plugin } = await startFake(rig, { plugin: calling });
    expect(await plugin.call('call', { method: 'config.get', actingFor: 'somebody' })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('act for another'),
    });
    expect(await plugin.call('stream', { method: 'config.get' })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('not a stream'),
    });
    expect(rig.host.audit({ kind: 'calls' })).toEqual([]);
  });

  test('[policy.one-door] calls that are allowed are counted in batches, by method', async () => {
    const rig = createRig({ rules: [allow('storage.read')] });
    const { plugin } = await startFake(rig, { plugin: calling, requests: [{ capability: 'storage.read', keys: ['*'] }] });
    for (let round = 0; round < 5; round += 1) await plugin.call('call', { method: 'storage.get', args: { key: 'a' } });
    await plugin.call('call', { method: 'config.get', args: {} });
    await rig.clock.advance(1_000);
    await plugin.call('call', { method: 'storage.get', args: { key: 'a' } });
    expect(rig.host.audit({ kind: 'calls' })).toMatchObject([
      { method: 'storage.get', allowed: 5 },
      { method: 'config.get', allowed: 1 },
      { method: 'storage.get', allowed: 1 },
    ]);
  });

  test('a service sees the values that were judged, in their normal form', async () => {
    const seen: unknown[] = [];
    const rig = createRig({
      catalogue,
      rules: [allow('mail.send', { domains: ['example.com'] })],
      services: [mailService(({ to }, call) => seen.push([to, call.scope, call.pluginId, call.generation]))],
    });
    const { plugin } = await startFake(rig, { plugin: calling, requests: [{ capability: 'mail.send', domains: ['example.com'] }] });
    expect(await plugin.call('call', { method: 'mail.send', args: { to: 'ada@EXAMPLE.com' } })).toEqual({ ok: 1 });
    expect(seen).toEqual([['ada@EXAMPLE.com', { domains: ['example.com'] }, 'tested', 1]]);
    expect(await plugin.call('call', { method: 'mail.send', args: { to: 'ada@example.com.evil.org' } })).toMatchObject({
      code: 'CAPABILITY_DENIED',
      details: { scope: { domains: ['example.com.evil.org'] } },
    });
  });

  test('what a scope function makes of hostile params is a defect of the host or a denial, never a pass', async () => {
    const rig = createRig({ catalogue, rules: [allow('mail.send', { domains: ['example.com'] })], services: [mailService(() => 'sent')] });
    const { plugin } = await startFake(rig, { plugin: calling, requests: [{ capability: 'mail.send', domains: ['example.com'] }] });
    const outcomes = await Promise.all(
      ['nobody', '@', 'a@\u0000', 'a@example.com ', 'a@exa\u0001mple.com'].map((to) => plugin.call('call', { method: 'mail.send', args: { to } })),
    );
    for (const outcome of outcomes) expect(['CAPABILITY_DENIED', 'INVALID_PARAMS', 'INTERNAL_ERROR']).toContain((outcome as { code: string }).code);
    for (const text of textsIn(rig.host.audit())) expect(text).not.toMatch(controls);
  });
});

describe('errors of services', () => {
  test.each(['plain', 'rejects', 'thrownText'])('%s: a defect of the host is logged, and the worker learns nothing of it', async (name) => {
    const rig = createRig({ services: [failingService] });
    const { plugin } = await startFake(rig, { plugin: calling });
    const outcome = await plugin.call('call', { method: `failing.${name}`, args: {} });
    expect(outcome).toMatchObject({ code: 'INTERNAL_ERROR' });
    expect(JSON.stringify(outcome)).not.toContain('swordfish');
    expect(JSON.stringify(rig.logs.filter(({ level }) => level === 'error'))).toContain('swordfish');
    expect(plugin.state).toBe('active');
  });

  test('an error that was thrown for the worker arrives as it is', async () => {
    const rig = createRig({ services: [failingService] });
    const { plugin } = await startFake(rig, { plugin: calling });
    expect(await plugin.call('call', { method: 'failing.typed', args: {} })).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      message: 'Nothing is left.',
      details: { left: 0 },
    });
  });

  test.each([
    ['approval', 'APPROVAL_REQUIRED'],
    ['lost', 'WORKER_LOST'],
    ['denied', 'CAPABILITY_DENIED'],
  ])('%s: of another plugin the worker learns no more than the code', async (name, code) => {
    const rig = createRig({ services: [failingService] });
    const { plugin } = await startFake(rig, { plugin: calling });
    const outcome = await plugin.call('call', { method: `failing.${name}`, args: {} });
    expect(outcome).toMatchObject({ code, details: {} });
    expect(JSON.stringify(outcome)).not.toMatch(/neighbour|swordfish|storage\.read|network\.http/);
    expect(rig.logs.some(({ message }) => message.includes('service of the host failed'))).toBe(true);
  });

  test('a result that cannot be sent is an error of its own, and the session goes on', async () => {
    const odd = defineService({
      name: 'odd',
      methods: {
        fn: defineMethod({ baseline: 'For tests.', handle: () => () => {} }),
        // biome-ignore lint/suspicious/noThenProperty: promises of other libraries are such objects.
        thenable: defineMethod({ baseline: 'For tests.', handle: (): unknown => ({ then: (resolve: (value: string) => void) => resolve('later') }) }),
      },
    });
    const rig = createRig({ services: [odd] });
    const { plugin } = await startFake(rig, { plugin: calling });
    expect(await plugin.call('call', { method: 'odd.fn', args: {} })).toMatchObject({ code: 'INVALID_VALUE' });
    expect(await plugin.call('call', { method: 'odd.thenable', args: {} })).toEqual({ ok: 'later' });
  });
});

describe('[policy.start-up-proof]', () => {
  const make =
    (services: readonly Service[], capabilities = builtinCapabilities) =>
    () =>
      void createHost({ platform: createSimulatedPlatform(), services, catalogue: createCatalogue(capabilities) });

  const unguarded: [string, Record<string, Record<string, unknown>>][] = [
    ['a method that is neither guarded nor baseline', { open: { handle: () => 1 } }],
    ['a baseline method without a reason', { open: { baseline: ' ', handle: () => 1 } }],
    ['a method that is both', { open: { baseline: 'Why not.', capability: storageRead, scope: () => ({ keys: 'a' }), handle: () => 1 } }],
    ['a method with a capability and no scope', { open: { baseline: 'Why not.', capability: storageRead, handle: () => 1 } }],
    ['a method with a scope and no capability', { open: { baseline: 'Why not.', scope: () => ({ keys: 'a' }), handle: () => 1 } }],
    ['a method whose capability is a name', { open: { capability: 'storage.read', scope: () => ({ keys: 'a' }), handle: () => 1 } }],
  ];
  test.each(unguarded)('%s is refused, also where defineService was not used', (_, methods) => {
    const service = { name: 'shop', methods } as unknown as Service;
    expect(() => defineService(service)).toThrow(expect.objectContaining({ code: 'UNGUARDED_METHOD' }));
    expect(make([service])).toThrow(expect.objectContaining({ code: 'UNGUARDED_METHOD', message: expect.stringContaining('shop.open') }));
  });

  test('a capability of the embedder that guards nothing, and one that the catalogue does not have', () => {
    expect(make([], [...builtinCapabilities, mailSend])).toThrow(
      expect.objectContaining({ code: 'UNUSED_CAPABILITY', message: expect.stringContaining('mail.send') }),
    );
    expect(make([mailService(() => 1)])).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_CAPABILITY', message: expect.stringContaining('createCatalogue') }),
    );
    // Of the same name, and yet another one.
    const impostor = defineCapability({
      name: 'mail.send',
      risk: 'low',
      sentence: 'send mail to {domains}',
      scope: { domains: scopes.hostPatterns() },
    });
    expect(make([mailService(() => 1)], [...builtinCapabilities, impostor])).toThrow(expect.objectContaining({ code: 'UNKNOWN_CAPABILITY' }));
    make([mailService(() => 1)], [...builtinCapabilities, mailSend])();
  });

  test('a service may not take the place of another, nor a name of the runtime', () => {
    const named = (name: string): Service => ({ name, methods: { go: defineMethod({ baseline: 'For tests.', handle: () => 1 }) } });
    expect(make([named('storage')])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(make([named('twice'), named('twice')])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    for (const name of ['plugin', 'grants', '', 'Upper', 'with.dot', '__proto__', 'x'.repeat(300)]) {
      expect(make([named(name)])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    const method = { 'with.dot': defineMethod({ baseline: 'For tests.', handle: () => 1 }) };
    expect(make([{ name: 'shop', methods: method }])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(make([{ name: 'shop', methods: { go: { baseline: 'For tests.' } as never } }])).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe('one-way messages', () => {
  /** A worker that sends one-way messages from its session. */
  const sends = async (rig: ReturnType<typeof createRig>, plugin: Awaited<ReturnType<typeof startFake>>, method: string, params: unknown) => {
    const run = (await plugin.workers[0]!.running) as unknown as { session: { notify(method: string, params: unknown): boolean } };
    const sent = run.session.notify(method, params);
    await rig.clock.settle();
    return sent;
  };

  test('what must be called is not taken: nothing is done, the host says so, and the session goes on', async () => {
    const storage = memoryStorage();
    const rig = createRig({ storage, rules: [allow('storage.write')] });
    const started = await startFake(rig, { plugin: calling, requests: [{ capability: 'storage.write' }] });
    await sends(rig, started, 'storage.set', { key: 'a', value: 1 });
    expect(storage.get('tested', 'a')).toBeUndefined();
    expect(rig.logs.filter(({ level }) => level === 'warn')).toMatchObject([{ fields: { code: 'INVALID_ARGUMENT', method: 'storage.set' } }]);
    expect(started.plugin.state).toBe('active');
  });

  test('one that is not acceptable is a line of the host, and a flood of them is not a flood of lines', async () => {
    const rig = createRig();
    const started = await startFake(rig, { plugin: calling });
    for (let message = 0; message < 1_000; message += 1)
      await sends(rig, started, message % 2 === 0 ? 'no.such' : 'log.write', { level: 'x' }).catch(() => {});
    const warnings = rig.logs.filter(({ message }) => message.includes('one-way message'));
    expect(warnings.length).toBe(300);
    expect(warnings[0]?.fields).toMatchObject({ plugin: 'tested', code: 'METHOD_NOT_FOUND' });
    expect(started.plugin.state).toBe('active');
  }, 20_000);

  test('credit comes back when the service has done its work', async () => {
    let release: () => void = () => {};
    const slow = defineService({
      name: 'slow',
      methods: { go: defineMethod({ baseline: 'For tests.', oneWay: true, handle: () => new Promise<void>((resolve) => (release = resolve)) }) },
    });
    const rig = createRig({ services: [slow] });
    const started = await startFake(rig, { plugin: calling });
    const filler = { filler: 'x'.repeat(270_000) };
    expect(await sends(rig, started, 'slow.go', filler)).toBe(true);
    expect(await sends(rig, started, 'slow.go', {})).toBe(false);
    release();
    await rig.clock.settle();
    expect(await sends(rig, started, 'slow.go', {})).toBe(true);
    release();
  });
});

test('the audit bounds and cleans what a worker makes it show', async () => {
  const many = defineCapability({ name: 'many.things', risk: 'low', sentence: 'use {things}', scope: { things: scopes.names() } });
  const service = defineService({
    name: 'many',
    methods: {
      go: defineMethod({ params: z.object({ things: z.array(z.string()) }), capability: many, scope: ({ things }) => ({ things }), handle: () => 1 }),
    },
  });
  const rig = createRig({ catalogue: createCatalogue([...builtinCapabilities, many]), services: [service] });
  const { plugin } = await installFake(rig, {
    plugin: calling,
    more: { config_schema: { key: { type: 'string', secret: true } } },
    install: { config: { key: 'hunter2-hunter2' } },
  });
  await plugin.start();
  const things = [...Array.from({ length: 5_000 }, (_, index) => `thing ${index}`)];
  await plugin.call('call', { method: 'many.go', args: { things } });
  await plugin.call('call', { method: 'many.go', args: { things: ['y'.repeat(1_000_000)] } });
  await plugin.call('call', { method: 'many.go', args: { things: ['\u001b[31m hunter2-hunter2', '\u202egnp'] } });
  const records = rig.host.audit({ kind: 'decision' });
  expect(records).toHaveLength(3);
  for (const record of records) expect(JSON.stringify(record).length).toBeLessThan(20_000);
  expect(JSON.stringify(records)).not.toContain('hunter2');
  for (const text of textsIn(records)) expect(text).not.toMatch(controls);
  expect(await rejection(plugin.call('none'))).toMatchObject({ code: 'METHOD_NOT_FOUND' });
});
