import { describe, expect, test } from 'vitest';
import { eventsPublish, eventsSubscribe, filesystemRead, networkHttp, scopes, secretsRead, storageRead } from '../../src/capabilities/index.js';
import { compileGrants, decide } from '../../src/policy/index.js';
import { bell, catalogue, door, grant, judge, policy, subject } from './fixtures.js';

describe('decide', () => {
  test('denies without a grant, naming capability and scope', () => {
    expect(judge(eventsPublish.for({ topics: 'mail.sent' }), [])).toEqual({
      effect: 'deny',
      code: 'NOT_GRANTED',
      capability: 'events.publish',
      scope: { topics: ['mail.sent'] },
      missing: { topics: ['mail.sent'] },
      sentence: 'The plugin has no grant for events.publish on topic "mail.sent".',
    });
  });

  test('allows what a grant covers, naming the grant', () => {
    const one = grant('events.publish', { topics: ['mail.*'] });
    expect(judge(eventsPublish.for({ topics: 'mail.sent' }), [one])).toMatchObject({ effect: 'allow', code: 'GRANTED', grantId: one.id });
  });

  test('a subscription is covered as a pattern', () => {
    const grants = [grant('events.subscribe', { topics: ['mail.*'] })];
    expect(judge(eventsSubscribe.for({ topics: 'mail.*' }), grants).effect).toBe('allow');
    expect(judge(eventsSubscribe.for({ topics: 'mail.sent' }), grants).effect).toBe('allow');
    for (const topics of ['mail.**', '**', '*', '*.sent', 'mail']) {
      expect(judge(eventsSubscribe.for({ topics }), grants)).toMatchObject({
        effect: 'deny',
        code: 'SCOPE_NOT_GRANTED',
        missing: { topics: [topics] },
      });
    }
  });

  test('a deny rule below a subscription or a list denies it', () => {
    const grants = [grant('events.subscribe'), grant('storage.read')];
    const { rules } = policy(
      { effect: 'deny', capability: 'events.subscribe', scope: { topics: ['mail.secret'] } },
      { effect: 'deny', capability: 'storage.read', scope: { keys: ['user/1/*'] } },
    );
    for (const topics of ['mail.secret', 'mail.*', '**', '*.*'])
      expect(judge(eventsSubscribe.for({ topics }), grants, rules)).toMatchObject({ code: 'DENIED_BY_RULE', rule: { index: 0 } });
    for (const topics of ['mail.sent', 'mail.*.*', '*']) expect(judge(eventsSubscribe.for({ topics }), grants, rules).effect).toBe('allow');
    for (const keys of ['user/1/a', 'user/*', '*', 'user/1/a*']) expect(judge(storageRead.for({ keys }), grants, rules).effect).toBe('deny');
    for (const keys of ['user/1', 'user/2/*', 'a']) expect(judge(storageRead.for({ keys }), grants, rules).effect).toBe('allow');
  });

  test('one grant must cover an attempt in all its fields', () => {
    const grants = [grant('network.http', { hosts: ['a.org'], methods: ['GET'] }), grant('network.http', { hosts: ['b.org'], methods: ['POST'] })];
    const attempt = (hosts: string | string[], methods: string | string[]) => networkHttp.for({ hosts, methods, ports: '443', schemes: 'https' });
    expect(judge(attempt('a.org', 'GET'), grants).effect).toBe('allow');
    expect(judge(attempt('a.org', 'POST'), grants)).toMatchObject({
      effect: 'deny',
      missing: { methods: ['POST'] },
      sentence: 'The plugin has no grant for network.http on method "POST".',
    });
    expect(judge(attempt('evil.com', 'GET'), grants)).toMatchObject({ missing: { hosts: ['evil.com'] } });
    expect(judge(attempt(['a.org', 'b.org'], 'GET'), grants).effect).toBe('deny');
  });

  test('several values may be covered by several grants, and those that are not are named', () => {
    const grants = [grant('secrets.read', { names: ['a'] }), grant('secrets.read', { names: ['b'] })];
    expect(judge(secretsRead.for({ names: ['a', 'b'] }), grants).effect).toBe('allow');
    expect(judge(secretsRead.for({ names: ['a', 'c', 'd'] }), grants)).toMatchObject({
      missing: { names: ['c', 'd'] },
      sentence: 'The plugin has no grant for secrets.read on names "c" and "d".',
    });
  });

  test('an expired grant denies from its very instant on', () => {
    const grants = [grant('secrets.read', { names: ['a'] }, { expiresAt: '2026-01-01T00:00:01.000Z' })];
    const end = Date.parse('2026-01-01T00:00:01.000Z');
    expect(judge(secretsRead.for({ names: 'a' }), grants, [], end - 1).effect).toBe('allow');
    expect(judge(secretsRead.for({ names: 'a' }), grants, [], end)).toMatchObject({
      effect: 'deny',
      code: 'GRANT_EXPIRED',
      missing: { names: ['a'] },
      sentence: `The plugin's grant for secrets.read on name "a" has expired.`,
    });
    expect(judge(secretsRead.for({ names: 'b' }), grants, [], end).code).toBe('SCOPE_NOT_GRANTED');
    expect(judge(secretsRead.for({ names: 'a' }), [grant('secrets.read', {}, { expiresAt: 'tomorrow' })]).effect).toBe('deny');
    expect(judge(secretsRead.for({ names: 'a' }), grants, [], Number.NaN).effect).toBe('deny');
  });

  test('deny wins over every grant, and the plugin is not told the rule', () => {
    const { rules } = policy({ effect: 'deny', capability: '*', reason: 'because of Ada' });
    const decision = judge(secretsRead.for({ names: 'a' }), [grant('secrets.read')], rules);
    expect(decision).toMatchObject({ effect: 'deny', code: 'DENIED_BY_RULE', rule: { index: 0, file: 'policy.yml', line: 10 } });
    expect(decision.sentence).toBe('The policy denies the plugin secrets.read on name "a".');
  });

  test('a confirm rule asks for what is granted, and grants nothing by itself', () => {
    const { rules } = policy({ effect: 'confirm', capability: 'secrets.read', scope: { names: ['a'] } });
    const granted = grant('secrets.read');
    expect(judge(secretsRead.for({ names: 'a' }), [granted], rules)).toMatchObject({
      effect: 'confirm',
      code: 'CONFIRMATION_REQUIRED',
      rule: { index: 0 },
      grantId: granted.id,
    });
    expect(judge(secretsRead.for({ names: ['b', 'a'] }), [granted], rules).effect).toBe('confirm');
    expect(judge(secretsRead.for({ names: 'b' }), [granted], rules).effect).toBe('allow');
    expect(judge(secretsRead.for({ names: 'a' }), [], rules)).toMatchObject({ effect: 'deny', code: 'NOT_GRANTED' });
  });

  test('a capability without a scope is granted as such', () => {
    expect(judge(bell.for({}), [grant('test.bell')]).effect).toBe('allow');
    expect(judge(bell.for({}), [])).toMatchObject({ effect: 'deny', sentence: 'The plugin has no grant for test.bell.', missing: {} });
    expect(judge(bell.for({}), [grant('test.bell')], policy({ effect: 'deny', capability: 'test.bell' }).rules).effect).toBe('deny');
    expect(judge({ capability: 'test.bell', scope: { more: ['a'] } }, [grant('test.bell')]).effect).toBe('deny');
  });

  test('a kind of scope without an index serves as well', () => {
    const { createIndex: _, overlaps: __, ...plain } = scopes.names();
    const capability = { ...secretsRead, ...{ scope: { names: plain } } };
    const custom = { names: ['secrets.read'], get: (name: string) => (name === 'secrets.read' ? capability : undefined) };
    const compiled = compileGrants([grant('secrets.read', { names: ['a'] })], {
      catalogue: custom,
      subject,
      rules: policy({ effect: 'deny', capability: 'secrets.read', scope: { names: ['b'] } }).rules,
    });
    expect(['a', 'b', 'c'].map((names) => decide(compiled, secretsRead.for({ names }), 0).code)).toEqual([
      'GRANTED',
      'DENIED_BY_RULE',
      'SCOPE_NOT_GRANTED',
    ]);
  });
});

describe('an attempt that cannot be understood is denied, whatever is granted', () => {
  const everything = [grant('filesystem.read'), grant('events.publish'), grant('test.door'), grant('network.http')];

  test.each(['/data/../etc', '//etc', 'etc', '/data/%2e%2e/etc', '/a\0b', ''])('the path %j', (paths) => {
    const decision = judge(filesystemRead.for({ paths }), everything);
    expect(decision).toMatchObject({ effect: 'deny', code: 'INVALID_ATTEMPT' });
    expect(decision.sentence).toMatch(/^The attempt to use filesystem\.read names path ".*", which is not acceptable\. (A path|It holds) [^\n]+\.$/);
  });

  test('a pattern where only a topic will do', () => {
    expect(judge(eventsPublish.for({ topics: 'mail.*' }), everything)).toMatchObject({ effect: 'deny', code: 'INVALID_ATTEMPT' });
  });

  test.each([
    ['no scope fields', {}],
    ['a field missing', { rooms: ['a'] }],
    ['an empty field', { rooms: [], methods: ['GET'] }],
    ['text for a list', { rooms: 'a', methods: ['GET'] }],
    ['a number', { rooms: [1], methods: ['GET'] }],
    ['a field too many', { rooms: ['a'], methods: ['GET'], more: ['b'] }],
    ['not in normal form', { rooms: ['a'], methods: ['get'] }],
    ['inherited fields', Object.create({ rooms: ['a'], methods: ['GET'], constructor: ['x'] }) as object],
    ['too many combinations', { rooms: Array.from({ length: 129 }, (_, index) => `r${index}`), methods: ['GET', 'POST'] }],
  ])('%s', (_, scope) => {
    expect(judge({ capability: 'test.door', scope: scope as never }, everything)).toMatchObject({ effect: 'deny', code: 'INVALID_ATTEMPT' });
  });

  test.each(['constructor', '__proto__', 'toString', 'nope.nope', ''])('the capability %j', (capability) => {
    expect(judge({ capability, scope: {} }, everything)).toMatchObject({ effect: 'deny', code: 'UNKNOWN_CAPABILITY' });
  });

  test('what a plugin named cannot break out of the sentence', () => {
    const { sentence } = judge(filesystemRead.for({ paths: `/a"\n\u001b[2J\u202E${'x'.repeat(500)}` }), everything);
    expect(sentence).toContain('path "/a\\"\\u{a}\\u{1b}[2J\\u{202e}xxx');
    expect(sentence.length).toBeLessThan(500);
  });
});

describe('compileGrants ignores what is not certain', () => {
  const attempt = door.for({ rooms: 'a', methods: 'GET' });
  test.each([
    ['another plugin', { pluginId: 'other' }, 'NOT_PINNED'],
    ['another manifest', { manifestDigest: 'd2' }, 'NOT_PINNED'],
    ['another content', { contentDigest: 'c2' }, 'NOT_PINNED'],
    ['a capability that is gone', { capability: 'test.gone' }, 'UNKNOWN_CAPABILITY'],
    ['a prototype key', { capability: 'constructor' }, 'UNKNOWN_CAPABILITY'],
    ['a field that it does not have', { scope: { rooms: ['**'] } }, 'INVALID_SCOPE'],
    ['a field that is new to it', { scope: { rooms: ['**'], methods: ['*'], more: ['*'] } }, 'INVALID_SCOPE'],
    ['an empty field', { scope: { rooms: ['**'], methods: [] } }, 'INVALID_SCOPE'],
    ['text for a list', { scope: { rooms: ['**'], methods: '*' as never } }, 'INVALID_SCOPE'],
    ['no scope', { scope: null as never }, 'INVALID_SCOPE'],
    ['a pattern that is none', { scope: { rooms: ['**', 'a..b'], methods: ['*'] } }, 'INVALID_SCOPE'],
    ['no normal form', { scope: { rooms: ['**', 'a'], methods: ['*'] } }, 'INVALID_SCOPE'],
  ])('%s', (_, change, code) => {
    const changed = grant('test.door', {}, { id: 'g', ...change });
    const compiled = compileGrants([changed], { catalogue, subject: { ...subject, contentDigest: 'c1' } });
    expect(compiled.ignored).toEqual([{ grantId: 'g', code }]);
    expect(decide(compiled, attempt, 0).effect).toBe('deny');
  });

  test('a grant that names no content holds for any, one that does for that alone', () => {
    const pinned = { ...subject, contentDigest: 'c1' };
    expect(compileGrants([grant('test.door')], { catalogue, subject: pinned }).ignored).toEqual([]);
    expect(compileGrants([grant('test.door', {}, { contentDigest: 'c1' })], { catalogue, subject: pinned }).ignored).toEqual([]);
    expect(compileGrants([grant('test.door', {}, { contentDigest: 'c1' })], { catalogue, subject }).ignored).toHaveLength(1);
  });
});
