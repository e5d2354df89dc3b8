import { describe, expect, test } from 'vitest';
import { type PolicyProblem, parsePolicy, rulesFor, safeParsePolicy } from '../../src/policy/index.js';
import { catalogue, policy } from './fixtures.js';

function problemsOf(document: unknown): readonly PolicyProblem[] {
  const result = safeParsePolicy(document, { catalogue });
  return result.valid ? [] : result.problems;
}

function withRule(rule: unknown): unknown {
  return { version: 1, rules: [rule] };
}

describe('parsePolicy', () => {
  test('brings rules into normal form, with file and line', () => {
    const document = withRule({
      effect: 'allow',
      trust: ['official'],
      plugins: ['summarizer', 'acme/*'],
      capability: 'network.http',
      scope: { hosts: ['API.example.com'] },
      reason: 'ours',
    });
    const parsed = parsePolicy(document, {
      catalogue,
      fileName: 'policy.yml',
      locate: (pointer) => (pointer === '/rules/0' ? { line: 3, column: 5 } : undefined),
    });
    expect(parsed).toEqual({
      fileName: 'policy.yml',
      rules: [
        {
          index: 0,
          effect: 'allow',
          trust: ['official'],
          plugins: ['summarizer', 'acme/*'],
          capability: 'network.http',
          scope: { hosts: ['api.example.com'], ports: ['*'], methods: ['*'], schemes: ['*'] },
          reason: 'ours',
          file: 'policy.yml',
          line: 3,
        },
      ],
    });
  });

  test('an empty policy grants nothing', () => {
    expect(parsePolicy({ version: 1 }, { catalogue }).rules).toEqual([]);
  });

  test.each([
    ['no document', null, '', 'INVALID_FORM'],
    ['a list', [], '', 'INVALID_FORM'],
    ['text', 'version: 1', '', 'INVALID_FORM'],
    ['no version', { rules: [] }, '/version', 'INVALID_FORM'],
    ['a later version', { version: 2 }, '/version', 'INVALID_FORM'],
    ['rules as a map', { version: 1, rules: {} }, '/rules', 'INVALID_FORM'],
    ['a rule of text', withRule('allow'), '/rules/0', 'INVALID_FORM'],
    ['no effect', withRule({ capability: '*' }), '/rules/0/effect', 'INVALID_FORM'],
    ['an unknown effect', withRule({ effect: 'permit', capability: '*' }), '/rules/0/effect', 'INVALID_FORM'],
    ['no capability', withRule({ effect: 'deny' }), '/rules/0/capability', 'INVALID_FORM'],
    ['an unknown tier', withRule({ effect: 'deny', capability: '*', trust: ['friend'] }), '/rules/0/trust/0', 'INVALID_FORM'],
    ['a tier alone', withRule({ effect: 'deny', capability: '*', trust: 'official' }), '/rules/0/trust', 'INVALID_FORM'],
    ['no tiers', withRule({ effect: 'deny', capability: '*', trust: [] }), '/rules/0/trust', 'INVALID_FORM'],
    ['no plugins', withRule({ effect: 'deny', capability: '*', plugins: [] }), '/rules/0/plugins', 'INVALID_FORM'],
    ['a glob over ids', withRule({ effect: 'deny', capability: '*', plugins: ['summ*'] }), '/rules/0/plugins/0', 'INVALID_FORM'],
    ['a scope without capability', withRule({ effect: 'allow', capability: '*', scope: { hosts: ['a.org'] } }), '/rules/0/scope', 'INVALID_SCOPE'],
    ['a scope of text', withRule({ effect: 'allow', capability: 'network.http', scope: 'a.org' }), '/rules/0/scope', 'INVALID_FORM'],
    ['a scope as a list', withRule({ effect: 'allow', capability: 'network.http', scope: [] }), '/rules/0/scope', 'INVALID_FORM'],
    ['no scope value', withRule({ effect: 'allow', capability: 'network.http', scope: { hosts: [] } }), '/rules/0/scope/hosts', 'INVALID_SCOPE'],
    [
      'a bad pattern',
      withRule({ effect: 'deny', capability: 'filesystem.read', scope: { paths: ['/ok', '/data/../etc'] } }),
      '/rules/0/scope/paths/1',
      'INVALID_SCOPE',
    ],
    ['a prototype key as capability', withRule({ effect: 'allow', capability: 'constructor' }), '/rules/0/capability', 'UNKNOWN_CAPABILITY'],
  ])('%s is a problem', (_, document, path, code) => {
    expect(problemsOf(document)).toEqual([{ severity: 'error', code, path, message: expect.stringMatching(/\.$/) }]);
  });

  test('a misspelling is never ignored: it could be that of a deny rule', () => {
    expect(problemsOf(withRule({ effect: 'deny', capability: 'netwrok.http' }))[0]?.message).toContain('Did you mean network.http?');
    expect(problemsOf(withRule({ effect: 'deny', capability: '*', plugin: ['a'] }))).toEqual([
      { severity: 'error', code: 'UNKNOWN_FIELD', path: '/rules/0/plugin', message: 'There is no such field. Did you mean plugins?' },
    ]);
    expect(problemsOf({ version: 1, rule: [] })[0]).toMatchObject({ code: 'UNKNOWN_FIELD', path: '/rule' });
  });

  test('prototype keys of a JSON document are unknown fields at every level', () => {
    expect(problemsOf(JSON.parse('{"version":1,"__proto__":{"rules":[]}}'))[0]).toMatchObject({ code: 'UNKNOWN_FIELD', path: '/__proto__' });
    expect(problemsOf(JSON.parse('{"version":1,"rules":[{"effect":"allow","capability":"network.http","__proto__":{}}]}'))[0]).toMatchObject({
      path: '/rules/0/__proto__',
    });
    expect(
      problemsOf(JSON.parse('{"version":1,"rules":[{"effect":"allow","capability":"network.http","scope":{"__proto__":["a"]}}]}'))[0],
    ).toMatchObject({
      code: 'INVALID_SCOPE',
      path: '/rules/0/scope/__proto__',
    });
  });

  test('all problems are told at once, with lines, and at most 100 of them', () => {
    const result = safeParsePolicy(
      { version: 1, rules: [{ effect: 'x', capability: '*' }, { effect: 'deny' }] },
      { catalogue, locate: (pointer) => ({ line: pointer.length, column: 2 }) },
    );
    expect(result).toMatchObject({
      problems: [
        { path: '/rules/0/effect', line: 15, column: 2 },
        { path: '/rules/1/capability', line: 19 },
      ],
    });
    expect(problemsOf({ version: 1, rules: Array.from({ length: 500 }, () => ({ effect: 'deny', capability: 'nope.nope' })) })).toHaveLength(100);
  });

  test('throws INVALID_POLICY with the problems', () => {
    expect(() => parsePolicy({ version: 3 }, { catalogue, fileName: 'p.yml', locate: () => ({ line: 1, column: 1 }) })).toThrowError(
      expect.objectContaining({
        code: 'INVALID_POLICY',
        message: 'p.yml, line 1: Write `version: 1`; this is the only version so far.',
        details: { problems: [expect.objectContaining({ path: '/version' })] },
      }),
    );
  });
});

describe('rulesFor', () => {
  const rules = policy(
    { effect: 'allow', capability: '*', trust: ['official'] },
    { effect: 'allow', capability: '*', plugins: ['acme/*'] },
    { effect: 'allow', capability: '*', plugins: ['summarizer'], trust: ['community'] },
    { effect: 'deny', capability: '*', plugins: ['*'] },
  );
  test.each([
    ['summarizer', 'official', [0, 3]],
    ['summarizer', 'community', [2, 3]],
    ['summarizer', 'unverified', [3]],
    ['acme/mail', 'unverified', [1, 3]],
    ['acme', 'unverified', [3]],
    ['acmeevil/mail', 'unverified', [3]],
  ] as const)('%s (%s) is under the rules %j', (pluginId, trust, indices) => {
    expect(rulesFor(rules, { pluginId, trust }).map((rule) => rule.index)).toEqual(indices);
  });
});
