import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { builtinCapabilities, createCatalogue, parsePolicyText } from '../../src/index.js';
import { createTestHost, fakePlugin, type TestHost } from '../../src/testing/index.js';
import { parse, runnable } from '../manifest/support.js';

const page = readFileSync('docs/capabilities.md', 'utf8');
const catalogue = createCatalogue(builtinCapabilities);

describe('docs/capabilities.md', () => {
  let t: TestHost | undefined;
  afterEach(() => t?.stop());

  test('says of each capability what it is, and whether a host as it comes offers it', async () => {
    const plugin = fakePlugin(
      { methods: {}, streams: {} },
      {},
      { requests: builtinCapabilities.map(({ name: capability }) => ({ capability, optional: true })) },
    );
    t = await createTestHost({ plugins: [plugin] });
    const plan = await t.host.plugin('fake-plugin').plan();
    expect(plan.items).toHaveLength(builtinCapabilities.length);
    for (const { request, code, risk } of plan.items) {
      const fields = Object.keys(request.scope).map((field) => `\`${field}\``);
      const row = page.split('\n').find((line) => line.startsWith(`| \`${request.capability}\` |`));
      const [, , shownFields = '', shownRisk = '', , offeredBy = ''] = row?.split('|').map((cell) => cell.trim()) ?? [];
      expect(shownFields.split(', ').sort()).toEqual(fields.sort());
      expect(shownRisk).toBe(risk);
      expect([request.capability, offeredBy === 'a service of the embedder']).toEqual([request.capability, code === 'NOT_OFFERED']);
    }
  });

  test('has examples that are valid, of capabilities that a host as it comes offers', () => {
    const [manifest = '', policy = ''] = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text]) => text);
    expect(parse(`${runnable}${manifest}`)).toMatchObject({ valid: true, problems: [] });
    expect(parsePolicyText(new TextEncoder().encode(policy), { catalogue }).rules).toHaveLength(4);
    const named = [...`${manifest}${policy}`.matchAll(/capability: (\S+)/g)].map(([, name = '']) => name.split('.')[0]);
    expect(new Set(named)).toEqual(new Set(['events', 'storage']));
  });
});
