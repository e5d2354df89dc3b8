import { describe, expect, expectTypeOf, test } from 'vitest';
import { builtinCapabilities, createCatalogue, defineCapability, networkHttp, scopes } from '../../src/capabilities/index.js';

const mailSend = defineCapability({
  name: 'mail.send',
  risk: 'high',
  sentence: 'send mail to {domains} from {mailboxes}',
  scope: { domains: scopes.hostPatterns(), mailboxes: scopes.names() },
});
const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' });

describe('defineCapability', () => {
  test.each(['mail', 'Mail.send', 'mail..send', '.mail', 'mail.', 'mail send', '__proto__', 'a.__proto__', `a.${'b'.repeat(127)}`])(
    'the name %j is refused',
    (name) => {
      expect(() => defineCapability({ name, risk: 'low', sentence: 'do', scope: {} })).toThrowError(invalid);
    },
  );

  test.each(['__proto__', 'Hosts', 'my-field', 'capability', 'reason', 'optional', ''])('the field %j is refused', (field) => {
    const scope = Object.fromEntries([[field, scopes.names()]]);
    expect(() => defineCapability({ name: 'a.b', risk: 'low', sentence: `use {${field}}`, scope })).toThrowError(invalid);
  });

  test.each(['send mail', 'send {domains} {domains}', 'send {domains} {others}'])(
    'the sentence %j hides or repeats a part of the scope',
    (sentence) => {
      expect(() => defineCapability({ name: 'a.b', risk: 'low', sentence, scope: { domains: scopes.names() } })).toThrowError(invalid);
    },
  );

  test('an unknown risk is refused', () => {
    expect(() => defineCapability({ name: 'a.b', risk: 'none' as 'low', sentence: 'do', scope: {} })).toThrowError(invalid);
  });

  test('the fields of the scope are the type of the values', () => {
    expectTypeOf(mailSend.for).parameter(0).toEqualTypeOf<Readonly<Record<'domains' | 'mailboxes', string | readonly string[]>>>();
  });
});

describe('parseScope', () => {
  test('brings a scope into normal form: sorted, minimal, complete', () => {
    expect(mailSend.parseScope({ domains: ['b.org', '*.Example.com', 'api.example.com', 'b.org'] })).toEqual({
      scope: { domains: ['*.example.com', 'b.org'], mailboxes: ['*'] },
    });
    expect(mailSend.parseScope({ domains: 'b.org', mailboxes: ['x', '*'] })).toEqual({ scope: { domains: ['b.org'], mailboxes: ['*'] } });
  });

  test('ports may be numbers, other things not', () => {
    expect(networkHttp.parseScope({ ports: [443, '8000-8999'] })).toHaveProperty('scope.ports', ['443', '8000-8999']);
    expect(networkHttp.parseScope({ hosts: [443] })).toHaveProperty('problems');
    expect(networkHttp.parseScope({ ports: [443.5] })).toHaveProperty('problems');
  });

  test('an empty list or a null never becomes everything', () => {
    expect(mailSend.parseScope({ domains: [] })).toEqual({ problems: [{ path: ['domains'], message: expect.stringContaining('empty') }] });
    for (const raw of [null, '', {}, [null], [[]], true]) expect(mailSend.parseScope({ domains: raw })).toHaveProperty('problems');
  });

  test('every problem is told, each with its place', () => {
    expect(mailSend.parseScope({ domain: ['a.org'], mailboxes: ['ok', 'a*'], domains: ['ok.org', 'münchen.de'] })).toEqual({
      problems: [
        { path: ['domain'], message: 'There is no field "domain"; did you mean domains.' },
        { path: ['domains', 1], message: 'A host is written in ASCII; write an international name in its `xn--` form.' },
        { path: ['mailboxes', 1], message: 'A name holds no `*`; write `*` alone to name all.' },
      ],
    });
  });

  test('keys of the prototype are unknown fields, also when they come from JSON', () => {
    for (const key of ['constructor', 'toString', '__proto__']) {
      expect(mailSend.parseScope(JSON.parse(`{"${key}": ["a"]}`) as Record<string, unknown>)).toHaveProperty('problems.0.path', [key]);
    }
  });

  test('what is no map is a problem, not an exception', () => {
    for (const raw of [null, undefined, 'x', ['a']]) expect(mailSend.parseScope(raw as never)).toHaveProperty('problems');
  });

  test('a field has at most 256 patterns', () => {
    const many = Array.from({ length: 257 }, (_, index) => `h${index}.org`);
    expect(mailSend.parseScope({ domains: many })).toHaveProperty('problems');
    expect(mailSend.parseScope({ domains: many.slice(1) })).toHaveProperty('scope');
  });
});

describe('for', () => {
  test('makes an attempt of values in normal form', () => {
    expect(mailSend.for({ domains: 'EXAMPLE.com.', mailboxes: ['a', 'b'] })).toEqual({
      capability: 'mail.send',
      scope: { domains: ['example.com'], mailboxes: ['a', 'b'] },
    });
  });

  test('keeps what is no value, for the decision to deny', () => {
    expect(mailSend.for({ domains: 'user@example.com', mailboxes: 'a' }).scope).toEqual({ domains: ['user@example.com'], mailboxes: ['a'] });
  });

  test.each([
    [{}],
    [{ domains: 'a.org' }],
    [{ domains: 'a.org', mailboxes: [] }],
    [{ domains: 'a.org', mailboxes: [1] }],
    [{ domains: 'a.org', mailboxes: 'a', more: 'b' }],
    [{ domains: null, mailboxes: 'a' }],
  ])('%j is a defect of the caller', (values) => {
    expect(() => mailSend.for(values as never)).toThrowError(invalid);
  });
});

describe('describe', () => {
  test('says what is allowed', () => {
    expect(mailSend.describe({ domains: ['a.org', 'b.org', 'c.org'], mailboxes: ['*'] })).toBe(
      'send mail to a.org, b.org and c.org from any mailbox',
    );
    expect(networkHttp.describe({ hosts: ['api.example.com'], methods: ['GET'], schemes: ['https'], ports: ['*'] })).toBe(
      'send HTTP requests to api.example.com (methods: GET; schemes: https; ports: any port)',
    );
  });

  test('a pattern cannot pass for words of the sentence', () => {
    expect(mailSend.describe({ domains: ['a.org'], mailboxes: ['me, but only once'] })).toBe('send mail to a.org from "me, but only once"');
    expect(mailSend.describe({ domains: ['a.org'], mailboxes: ['x" \u001b[2J\n'] })).toBe('send mail to a.org from "x\\" \\u{1b}[2J\\u{a}"');
  });
});

describe('the catalogue', () => {
  test('finds capabilities by name and nothing else', () => {
    const catalogue = createCatalogue([...builtinCapabilities, mailSend]);
    expect(catalogue.get('mail.send')).toBe(mailSend);
    for (const name of ['constructor', '__proto__', 'toString', '']) expect(catalogue.get(name)).toBeUndefined();
    expect(catalogue.names).toEqual([...catalogue.names].sort());
    expect(catalogue.names).toHaveLength(builtinCapabilities.length + 1);
  });

  test('refuses two of one name', () => {
    expect(() => createCatalogue([mailSend, mailSend])).toThrowError(invalid);
  });

  test.each(builtinCapabilities.map((capability) => [capability.name, capability] as const))(
    '%s parses an empty scope as everything and says so',
    (_, capability) => {
      const parsed = capability.parseScope({});
      expect(parsed).toHaveProperty('scope');
      if (!('scope' in parsed)) return;
      expect(capability.describe(parsed.scope)).toContain('any ');
      for (const [field, kind] of Object.entries(capability.scope)) expect(parsed.scope[field]).toEqual([kind.everything]);
    },
  );
});
