import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { networkHttp } from '../../src/capabilities/builtin-capabilities.js';
import { defineContract } from '../../src/plugin/contract.js';
import { definePlugin } from '../../src/plugin/define-plugin.js';
import { defineMethod } from '../../src/services/define-service.js';
import { type TestPlugin, type TestPluginOptions, testPlugin } from '../../src/testing/index.js';
import { plugin, type summarizer } from './summarizer.js';

const grants = [
  { capability: 'storage.read', keys: ['summaries/*'] },
  { capability: 'storage.write', keys: ['summaries/*'] },
  { capability: 'events.publish', topics: ['summary.made'] },
  { capability: 'events.subscribe', topics: ['mail.*'] },
];

let running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  const all = running;
  running = [];
  for (const one of all) await one.stop();
});

async function start(options: TestPluginOptions = {}): Promise<TestPlugin<typeof summarizer>> {
  const p = await testPlugin(plugin, { grants, ...options });
  running.push(p);
  return p;
}

describe('[testing.test-plugin] testPlugin', () => {
  test('runs a plugin alone: calls, streams, log, events and progress', async () => {
    const p = await start();
    const steps: unknown[] = [];
    expect(await p.call('summarize', { text: 'abcdef' }, { onProgress: (step) => steps.push(step.message) })).toEqual({ summary: 'abc' });
    expect(await p.api.summarize({ text: 'abcdef' })).toEqual({ summary: 'abc' });
    expect(p.denials).toEqual([]);
    expect(p.logs).toMatchObject([
      { level: 'info', message: 'start', fields: { chars: 6 } },
      { level: 'info', message: 'start' },
    ]);
    expect(p.published).toEqual([{ topic: 'summary.made', payload: { chars: 6 }, correlationId: undefined }]);
    expect(p.progress).toEqual([{ method: 'summarize', fraction: 0.5, message: 'ranking', data: undefined }]);
    expect(steps).toEqual(['ranking']);
    const words: string[] = [];
    const stream = p.api.narrate({ text: 'one two three' });
    for await (const word of stream) words.push(word);
    expect(words).toEqual(['one', 'two', 'three']);
    expect(await stream.result).toEqual({ finishReason: 'stop' });
  });

  test('checks what goes in and out as a host would', async () => {
    const p = await start();
    await expect(p.call('summarize', { text: 1 })).rejects.toMatchObject({ code: 'INVALID_PARAMS' });
    await expect(p.call('sumarize', {})).rejects.toMatchObject({ code: 'METHOD_NOT_FOUND' });
  });

  test('denies what was not granted, by the real policy, and notes it', async () => {
    const p = await start({
      grants: [
        { capability: 'storage.read', keys: ['summaries/*'] },
        { capability: 'events.subscribe', topics: ['mail.*'] },
      ],
    });
    await expect(p.call('summarize', { text: 'abc' })).rejects.toMatchObject({ code: 'CAPABILITY_DENIED', details: { capability: 'storage.write' } });
    expect(p.denials).toEqual([{ capability: 'storage.write', scope: { keys: ['summaries/abc'] }, method: 'storage.set' }]);
    expect(p.published).toEqual([]);
  });

  test('denies what lies outside of a granted scope', async () => {
    const p = await start({ grants: [...grants.slice(1), { capability: 'storage.read', keys: ['other/*'] }] });
    await expect(p.call('summarize', { text: 'abc' })).rejects.toMatchObject({ code: 'CAPABILITY_DENIED' });
    expect(p.denials).toEqual([{ capability: 'storage.read', scope: { keys: ['summaries/abc'] }, method: 'storage.get' }]);
  });

  test('a start that needs what was not granted fails and says what', async () => {
    await expect(testPlugin(plugin, { grants: grants.slice(0, 3) })).rejects.toMatchObject({
      code: 'CAPABILITY_DENIED',
      details: { capability: 'events.subscribe' },
    });
  });

  test('services stand in for methods of the host, behind the same capability', async () => {
    const p = await start({ services: { 'storage.get': ({ key }: { key: string }) => ({ found: true, value: `known ${key}` }) } });
    expect(await p.call('summarize', { text: 'abc' })).toEqual({ summary: 'known summaries/abc' });
    const denied = await start({ grants: grants.slice(1), services: { 'storage.get': () => ({ found: true, value: 'x' }) } });
    await expect(denied.call('summarize', { text: 'abc' })).rejects.toMatchObject({ code: 'CAPABILITY_DENIED' });
    expect(denied.denials).toMatchObject([{ method: 'storage.get' }]);
  });

  test('services can be methods that the host does not have, with a capability or without one', async () => {
    const fetcher = definePlugin({
      methods: { get: async (params, ctx) => ctx.call('network.fetch', params) },
    });
    const free = await testPlugin(fetcher, { services: { 'network.fetch': async () => ({ status: 200 }) } });
    running.push(free);
    expect(await free.call('get', { url: 'https://api.example.com/x' })).toEqual({ status: 200 });
    const guarded = await testPlugin(fetcher, {
      grants: [{ capability: 'network.http', hosts: ['api.example.com'] }],
      services: {
        'network.fetch': defineMethod({
          params: z.object({ url: z.string() }),
          capability: networkHttp,
          scope: ({ url }) => ({ hosts: new URL(url).hostname, ports: '443', methods: 'GET', schemes: 'https' }),
          handle: async () => ({ status: 200 }),
        }),
      },
    });
    running.push(guarded);
    expect(await guarded.call('get', { url: 'https://api.example.com/x' })).toEqual({ status: 200 });
    await expect(guarded.call('get', { url: 'https://evil.example/x' })).rejects.toMatchObject({ code: 'CAPABILITY_DENIED' });
    expect(guarded.denials).toEqual([{ capability: 'network.http', scope: { hosts: ['evil.example'] }, method: 'network.fetch' }]);
  });

  test('a stub that fails is INTERNAL_ERROR to the plugin, whose caller learns no more, and says why among the log lines', async () => {
    const p = await start({
      services: {
        'storage.get': () => {
          throw new TypeError('the stub is wrong');
        },
      },
    });
    await expect(p.call('summarize', { text: 'abc' })).rejects.toMatchObject({
      code: 'HANDLER_ERROR',
      message: expect.stringContaining('failed inside the host'),
    });
    expect(JSON.stringify(p.logs)).toContain('the stub is wrong');
  });

  test('hands over events that the plugin has subscribed to, and refuses others', async () => {
    const p = await start();
    await p.publishEvent('mail.received', { from: 'a@example.com' });
    expect(p.logs).toMatchObject([{ message: 'mail', fields: { topic: 'mail.received' } }]);
    await expect(p.publishEvent('weather.changed')).rejects.toMatchObject({ code: 'INVALID_STATE', message: expect.stringContaining('mail.*') });
  });

  test('brings config, and keeps its secrets out of the log', async () => {
    const contract = defineContract({ methods: { greet: {} } });
    const greeter = definePlugin(contract, {
      async greet(_params, ctx) {
        ctx.log.info({}, `key ${ctx.config.getSecret('apiKey')}`);
        return ctx.config.getString('greeting');
      },
    });
    const p = await testPlugin(greeter, { config: { greeting: 'Hello', apiKey: 'sk-secret-123' }, secretConfigKeys: ['apiKey'] });
    running.push(p);
    expect(await p.call('greet')).toBe('Hello');
    expect(p.logs[0]?.message).toBe('key [secret]');
  });

  test('time passes only when the test says so', async () => {
    const slow = definePlugin({ methods: { slow: () => new Promise(() => {}) } });
    const p = await testPlugin(slow);
    const call = expect(p.call('slow', {}, { timeoutMs: 60_000 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', mayHaveRun: true });
    await p.clock.advance(60_000);
    await call;
    await expect(p.stop()).rejects.toMatchObject({ code: 'INVALID_STATE', details: { leaks: [expect.stringContaining('"slow"')] } });
  });

  test('faults: a crash, a denial that comes and goes', async () => {
    const p = await start();
    await p.faults.deny({ capability: 'storage.read' });
    await expect(p.call('summarize', { text: 'abc' })).rejects.toMatchObject({ code: 'CAPABILITY_DENIED' });
    await p.faults.clear();
    expect(await p.call('summarize', { text: 'abc' })).toEqual({ summary: 'abc' });
    p.faults.crash({ at: 'after-send' });
    await expect(p.call('summarize', { text: 'abc' })).rejects.toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
    await expect(p.faults.deny({ capability: 'network.http' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test.each<[string, TestPluginOptions, string]>([
    ['an unknown capability', { grants: [{ capability: 'teleport' }] }, 'UNKNOWN_CAPABILITY'],
    ['a scope that is none', { grants: [{ capability: 'storage.read', kees: ['a'] }] }, 'INVALID_ARGUMENT'],
    ['a stub without a service', { services: { fetch: () => 1 } }, 'INVALID_ARGUMENT'],
    ['a stub that is nothing', { services: { 'a.b': {} as never } }, 'INVALID_ARGUMENT'],
  ])('refuses %s', async (_what, options, code) => {
    await expect(testPlugin(definePlugin({ methods: {} }), options)).rejects.toMatchObject({ code });
  });
});
