import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { networkHttp } from '../../src/capabilities/builtin-capabilities.js';
import type { Host } from '../../src/host/create-host.js';
import { defineContract } from '../../src/plugin/contract.js';
import { definePlugin } from '../../src/plugin/define-plugin.js';
import { defineMethod } from '../../src/services/define-service.js';
import * as testing from '../../src/testing/index.js';
import { createTestHost, fakePlugin, type TestHost, testPlugin } from '../../src/testing/index.js';

// The snippets of docs/testing.md, which the last test here compares with this file.

const summarizer = defineContract({
  methods: { summarize: { params: z.object({ text: z.string() }), result: z.object({ summary: z.string() }) } },
});

/** What your service does with the plugin. */
async function digest(host: Host): Promise<string> {
  const { summary } = await host.plugin('summarizer').as(summarizer).summarize({ text: 'a long text' });
  return summary.toUpperCase();
}

describe('digest', () => {
  let t: TestHost;
  afterEach(() => t.stop());

  test('uses the summary', async () => {
    t = await createTestHost({
      plugins: [fakePlugin(summarizer, { summarize: async () => ({ summary: 'short' }) }, { id: 'summarizer' })],
    });
    expect(await digest(t.host)).toBe('SHORT');
  });
});

describe('digest, when things go wrong', () => {
  let t: TestHost;
  afterEach(() => t.stop());

  test('tells its caller when the plugin dies in the middle of it', async () => {
    t = await createTestHost({
      plugins: [fakePlugin(summarizer, { summarize: async () => ({ summary: 'short' }) }, { id: 'summarizer' })],
    });
    t.faults('summarizer').crash({ at: 'after-send' });
    await expect(digest(t.host)).rejects.toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
  });

  test('gives up after thirty seconds', async () => {
    t = await createTestHost({
      plugins: [fakePlugin(summarizer, { summarize: async () => ({ summary: 'short' }) }, { id: 'summarizer' })],
    });
    t.faults('summarizer').stall({ method: 'summarize' });
    const outcome = expect(digest(t.host)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await t.clock.advance(30_000);
    await outcome;
  });
});

test('with await using', async () => {
  await using t = await createTestHost({
    plugins: [fakePlugin(summarizer, { summarize: async () => ({ summary: 'short' }) }, { id: 'summarizer' })],
  });
  expect(await digest(t.host)).toBe('SHORT');
});

const plugin = definePlugin(summarizer, {
  async summarize({ text }, ctx) {
    const page = (await ctx.call('network.fetch', { url: text })) as { body: string };
    await ctx.storage.set('last', page.body);
    return { summary: page.body.slice(0, 5) };
  },
});

test('the plugin fetches, and keeps what it fetched', async () => {
  const p = await testPlugin(plugin, {
    grants: [{ capability: 'storage.write', keys: ['last'] }],
    services: { 'network.fetch': async () => ({ status: 200, body: 'Hello, world' }) },
  });
  expect(await p.call('summarize', { text: 'https://api.example.com/x' })).toEqual({ summary: 'Hello' });
  expect(p.denials).toEqual([]);
  await p.stop();
});

test('the plugin says which right it lacks', async () => {
  const p = await testPlugin(plugin, { services: { 'network.fetch': async () => ({ status: 200, body: 'Hello, world' }) } });
  await expect(p.call('summarize', { text: 'https://api.example.com/x' })).rejects.toMatchObject({ code: 'CAPABILITY_DENIED' });
  expect(p.denials).toEqual([{ capability: 'storage.write', scope: { keys: ['last'] }, method: 'storage.set' }]);
  await p.stop();
});

test('the plugin fetches only from where it may', async () => {
  const fetch = defineMethod({
    params: z.object({ url: z.url() }),
    capability: networkHttp,
    scope: ({ url }) => ({ hosts: new URL(url).hostname, ports: '443', methods: 'GET', schemes: 'https' }),
    handle: async () => ({ status: 200, body: 'Hello, world' }),
  });
  const p = await testPlugin(plugin, {
    grants: [
      { capability: 'network.http', hosts: ['api.example.com'] },
      { capability: 'storage.write', keys: ['last'] },
    ],
    services: { 'network.fetch': fetch },
  });
  await p.call('summarize', { text: 'https://api.example.com/x' });
  await expect(p.call('summarize', { text: 'https://elsewhere.example/x' })).rejects.toMatchObject({ code: 'CAPABILITY_DENIED' });
  expect(p.denials).toEqual([{ capability: 'network.http', scope: { hosts: ['elsewhere.example'] }, method: 'network.fetch' }]);
  await p.stop();
});

test('every snippet of docs/testing.md stands in this file, and what it imports is there', () => {
  const root = join(import.meta.dirname, '../..');
  const lines = (text: string): string =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .join('\n');
  const here = lines(readFileSync(import.meta.filename, 'utf8'));
  const snippets = [...readFileSync(join(root, 'docs/testing.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  expect(snippets.length).toBeGreaterThan(4);
  for (const snippet of snippets) {
    const code = lines(snippet.replace(/^import .*$/gm, ''));
    if (!here.includes(code)) expect.unreachable(`This snippet of docs/testing.md is run by no test:\n${snippet}`);
    for (const [, names = ''] of snippet.matchAll(/^import \{([^}]*)\} from '@synapse\/worker-runtime\/testing';$/gm)) {
      for (const name of names.split(',').map((part) => part.trim())) {
        if (!name.startsWith('type ')) expect(Object.keys(testing)).toContain(name);
      }
    }
  }
});
