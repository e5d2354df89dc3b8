import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtinCapabilities } from '../../src/capabilities/builtin-capabilities.js';
import { createCatalogue } from '../../src/capabilities/catalogue.js';
import { createNodeHost, type NodeHostOptions } from '../../src/node/create-node-host.js';
import { parsePolicy } from '../../src/policy/parse-policy.js';
import type { PolicyDocument } from '../../src/policy/policy-schema.js';
import { manifestText } from './support.js';

const document: PolicyDocument = { version: 1, rules: [{ effect: 'allow', capability: 'storage.read', scope: { keys: ['a/*'] } }] };
const yaml = 'version: 1\nrules:\n  - effect: allow\n    capability: storage.read\n    scope:\n      keys: [a/*]\n';
let folder = '';
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'policy-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the policy of a host on Node', () => {
  test.each<[string, () => NodeHostOptions['policy'], string]>([
    ['a document', () => document, 'ready'],
    ['a parsed one', () => parsePolicy(document, { catalogue: createCatalogue(builtinCapabilities) }), 'ready'],
    ['a YAML file', () => file('policy.yml', yaml), 'ready'],
    ['a JSON file', () => file('policy.json', JSON.stringify(document)), 'ready'],
    ['none', () => undefined, 'needs-approval'],
  ])('%s', async (_, policy, status) => {
    const given = policy();
    const host = createNodeHost(given === undefined ? {} : { policy: given });
    const manifest = manifestText({ requests: [{ capability: 'storage.read', keys: ['a/1'] }] });
    const plugin = await host.install({ manifest, manifestFileName: 'manifest.json' });
    const plan = await plugin.plan();
    expect(plan.status).toBe(status);
    if (typeof given === 'string' && given.endsWith('.yml')) expect(plan.items[0]?.rule).toMatchObject({ file: 'policy.yml', line: 3 });
    await host.stop();
  });

  test.each<[string, () => string, RegExp]>([
    ['that is not there', () => join(folder, 'nowhere.yml'), /nowhere\.yml.*cannot be read \(ENOENT\)/],
    ['that is a folder', () => folder, /cannot be read/],
    [
      'with a misspelt capability',
      () => file('typo.yml', yaml.replace('storage.read', 'storage.reed')),
      /typo\.yml, line 4: .*Did you mean storage\.read/,
    ],
    ['that is no YAML', () => file('broken.yml', 'version: [1'), /broken\.yml, line 1/],
    ['that is too large', () => file('large.yml', `${yaml}# ${'x'.repeat(70_000)}\n`), /large\.yml/],
    ['that bombs', () => file('bomb.yml', '['.repeat(20_000)), /bomb\.yml/],
  ])('a file %s keeps the host from being made', (_, path, sentence) => {
    expect(() => createNodeHost({ policy: path() })).toThrow(
      expect.objectContaining({ code: 'INVALID_POLICY', message: expect.stringMatching(sentence) }),
    );
  });
});
