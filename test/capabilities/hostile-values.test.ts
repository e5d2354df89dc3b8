import { describe, expect, test } from 'vitest';
import { type ScopeKind, scopes } from '../../src/capabilities/index.js';

const hosts = scopes.hostPatterns();
const paths = scopes.pathPrefixes();
const topics = scopes.topicPatterns();
const keys = scopes.keyPrefixes();
const names = scopes.names();
const ports = scopes.ports();
const methods = scopes.oneOf(['GET', 'POST']);

/** Neither a pattern nor a value, so that nothing ever covers it. */
function expectRefused(kind: ScopeKind, text: string): void {
  expect(kind.parsePattern(text)).toHaveProperty('message');
  expectRefusedValue(kind, text);
}

function expectRefusedValue(kind: ScopeKind, text: string): void {
  expect(kind.parseValue(text)).toHaveProperty('message');
  expect(kind.isValue(text)).toBe(false);
  expect(kind.matches(kind.everything, text)).toBe(false);
}

describe('host patterns', () => {
  test.each([
    ['API.Example.COM', 'api.example.com'],
    ['api.example.com.', 'api.example.com'],
    ['xn--mnchen-3ya.de', 'xn--mnchen-3ya.de'],
    ['localhost', 'localhost'],
    ['127.0.0.1', '127.0.0.1'],
    ['[::1]', '::1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['::', '::'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['[::ffff:a9fe:a9fe]', '169.254.169.254'],
    ['0:0:0:0:0:ffff:10.0.0.1', '10.0.0.1'],
  ])('%s is read as %s', (raw, normal) => {
    expect(hosts.parsePattern(raw)).toEqual({ pattern: normal });
    expect(hosts.parseValue(raw)).toEqual({ value: normal });
  });

  test.each([
    '',
    '.',
    '..',
    'a..b',
    '.example.com',
    'example.com..',
    '-a.com',
    'a-.com',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(127)}com`,
    'user@example.com',
    'example.com@evil.com',
    'example.com:443',
    'https://example.com',
    'example.com/path',
    'example.com\\evil.com',
    'example.com?x',
    'example.com#x',
    '%65xample.com',
    'example.com%00',
    'example.com\0',
    'exam\nple.com',
    'a b.com',
    ' example.com',
    'example.com ',
    'exаmple.com',
    'münchen.de',
    'example。com',
    'ｅxample.com',
    '\u212Aube.com',
    'exam\u200Bple.com',
    '①.com',
    '127.1',
    '0x7f000001',
    '0x7f.0.0.1',
    '2130706433',
    '017700000001',
    '010.0.0.1',
    '256.0.0.1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.4.',
    'foo.0x1',
    '0x',
    ':',
    ':::',
    '1::2::3',
    '::1%eth0',
    '[::1',
    '::1]',
    '[[::1]]',
    '12345::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '::1.2.3',
    '::01.2.3.4',
    'fe80::1%251',
    '[::1]:80',
    '*a.com',
    'a.*.com',
    '**',
    '*.',
    '*..com',
    '*.*',
    '*.*.com',
    '*example.com',
    '*.127.0.0.1',
    '*.254',
    '*.::1',
    '*.0.0.1',
    '*.[::1]',
  ])('%j is refused', (text) => {
    // The final dot of an address is the one exception that a host name, not a pattern of numbers, may have.
    if (text === '1.2.3.4.') expect(hosts.parsePattern(text)).toEqual({ pattern: '1.2.3.4' });
    else expectRefused(hosts, text);
  });

  test.each([
    ['*.example.com', 'api.example.com', true],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'evilexample.com', false],
    ['*.example.com', 'example.com.evil.com', false],
    ['example.com', 'api.example.com', false],
    ['*', '169.254.169.254', true],
    ['127.0.0.1', '127.0.0.11', false],
  ])('whether %s covers %s: %s', (pattern, value, covered) => {
    expect(hosts.matches(pattern, value)).toBe(covered);
  });

  test('what is not in normal form is not matched, so nobody decides about one spelling and uses another', () => {
    for (const value of ['EXAMPLE.com', 'example.com.', '[::1]', '0:0:0:0:0:0:0:1', '::ffff:1.2.3.4', '*', '*.example.com'])
      expect(hosts.matches('*', value)).toBe(false);
  });
});

describe('path prefixes', () => {
  test.each([
    ['/data', '/data', true],
    ['/data', '/data/a/b.txt', true],
    ['/data', '/database', false],
    ['/data', '/dat', false],
    ['/data', '/Data/a', false],
    ['/data', '/', false],
    ['/data/a', '/data', false],
    ['/', '/etc/passwd', true],
    ['/data', '/data/...', true],
    ['/data', '/data/.hidden', true],
    ['/data', '/data/a..b', true],
    ['/data', '/data/100%', true],
  ])('whether %s covers %s: %s', (pattern, value, covered) => {
    expect(paths.matches(pattern, value)).toBe(covered);
  });

  test.each([
    '',
    'data',
    './data',
    '../data',
    '~/data',
    'C:\\data',
    'file:///data',
    '//',
    '//data',
    '/data//a',
    '/data/',
    '/..',
    '/.',
    '/data/..',
    '/data/.',
    '/data/../etc',
    '/data/./a',
    '/data/a/..',
    '/data/%2e%2e/etc',
    '/data/%2E%2E/etc',
    '/data%2fa',
    '/data%5ca',
    '/data/%00',
    '/data\\..\\etc',
    '/data\0',
    '/data/\n',
    '/data/\u0085',
    '/data/\u2028',
    '/data/\ud800',
    `/${'a'.repeat(4_096)}`,
    '/a'.repeat(129),
  ])('%j is no value', (text) => {
    expect(paths.isValue(text)).toBe(false);
    expect(paths.matches('/', text)).toBe(false);
    expect(paths.matches('/data', text)).toBe(false);
  });

  test('one final slash is dropped, globs and invisible characters are refused in patterns', () => {
    expect(paths.parsePattern('/data/')).toEqual({ pattern: '/data' });
    expect(paths.parseValue('/data/')).toEqual({ value: '/data' });
    expect(paths.parseValue('/data//')).toHaveProperty('message');
    for (const text of ['/data/*', '/data/**', '/da?a', '/data/\u202Etxt.exe', '/data/\u200B'])
      expect(paths.parsePattern(text)).toHaveProperty('message');
  });

  test('nothing is folded: another Unicode form is another path', () => {
    expect(paths.matches('/caf\u00e9', '/cafe\u0301/menu')).toBe(false);
  });
});

describe('topic patterns', () => {
  test.each([
    ['a.*', 'a.b', true],
    ['a.*', 'a', false],
    ['a.*', 'a.b.c', false],
    ['a.*', 'ab.c', false],
    ['a.**', 'a.b', true],
    ['a.**', 'a.b.c', true],
    ['a.**', 'a', false],
    ['a.**', 'ab.c', false],
    ['**', 'a', true],
    ['*', 'a.b', false],
    ['mail.sent', 'mail.sentinel', false],
    ['mail.sent', 'mail.sent.x', false],
    ['Mail.sent', 'mail.sent', false],
  ])('whether %s covers the topic %s: %s', (pattern, topic, covered) => {
    expect(topics.matches(pattern, topic)).toBe(covered);
  });

  test.each([
    ['mail.**', 'mail.*', true],
    ['mail.*', 'mail.*', true],
    ['mail.*', 'mail.**', false],
    ['mail.sent', 'mail.*', false],
    ['*.*', 'mail.*', true],
    ['*.**', 'mail.**', true],
    ['*', '**', false],
    ['**', '**', true],
  ])('whether %s covers a subscription to %s: %s', (pattern, subscription, covered) => {
    expect(topics.matches(pattern, subscription)).toBe(covered);
  });

  test('a publisher names a topic, never a pattern', () => {
    const published = scopes.topicPatterns({ attempts: 'topics' });
    expect(published.matches('**', 'mail.sent')).toBe(true);
    for (const text of ['*', '**', 'mail.*', 'mail.**']) expectRefusedValue(published, text);
  });

  test.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a.**.b',
    '**.a',
    'a*',
    'a.b*',
    '***',
    'a. b',
    'a b',
    'a\nb',
    'a\0',
    'ä.b',
    'mаil.sent',
    'a'.repeat(257),
    `${'a.'.repeat(32)}a`,
  ])('%j is refused', (text) => {
    expectRefused(topics, text);
  });
});

describe('key prefixes', () => {
  test.each([
    ['user/*', 'user/1', true],
    ['user/*', 'user/', true],
    ['user/*', 'user', false],
    ['user/*', 'users/1', false],
    ['user*', 'users/1', true],
    ['user', 'user/1', false],
    ['*', 'anything at all', true],
    ['user/*', 'user/*', true],
    ['user/1', 'user/*', false],
    ['user/a*', 'user/*', false],
    ['*', '*', true],
    ['user/*', '*', false],
  ])('whether %s covers %s: %s', (pattern, value, covered) => {
    expect(keys.matches(pattern, value)).toBe(covered);
  });

  test('a star stands at the end only, and control characters nowhere', () => {
    for (const text of ['a*b', '**', '*a', 'a**']) expect(keys.parsePattern(text)).toHaveProperty('message');
    for (const text of ['', 'a\0b', 'a\nb', '\ud800', 'a'.repeat(1_025)]) expectRefused(keys, text);
    expect(keys.parsePattern('a\u200Bb')).toHaveProperty('message');
  });
});

describe('names', () => {
  test.each(['', ' a', 'a ', 'a\n', '\0', 'a*', '**', 'a\u202Eb', 'a\u200Bb', 'e\u0301', '\ufeffa', 'a'.repeat(257)])('%j is refused', (text) => {
    expectRefused(names, text);
  });

  test('names are compared character by character', () => {
    expect(names.matches('api-key', 'api-key')).toBe(true);
    for (const other of ['API-KEY', 'api-key2', 'api', 'аpi-key']) expect(names.matches('api-key', other)).toBe(false);
    expectRefusedValue(names, '*');
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('%s is a name like any other', (name) => {
    expect(names.matches('a', name)).toBe(false);
    expect(names.matches(name, name)).toBe(true);
  });
});

describe('ports and choices', () => {
  test.each(['0', '65536', '080', '+80', '-1', '8e1', '0x50', '80.0', ' 80', '80-', '-80', '90-80', '80-65536', '1-2-3', '٨٠', '99999999999', ''])(
    '%j is no port',
    (text) => {
      expectRefused(ports, text);
    },
  );

  test('ranges have one spelling', () => {
    expect(ports.parsePattern('1-65535')).toEqual({ pattern: '*' });
    expect(ports.parsePattern('80-80')).toEqual({ pattern: '80' });
    expect(ports.intersect('80-90', '85-100')).toEqual(['85-90']);
    expect(ports.intersect('80-84', '85-100')).toEqual([]);
    expectRefusedValue(ports, '80-90');
  });

  test('a choice ignores case, suggests, and covers nothing outside its set', () => {
    expect(methods.parsePattern('get')).toEqual({ pattern: 'GET' });
    expect(methods.parsePattern('PSOT')).toEqual({ message: '"PSOT" is not one of GET, POST. Did you mean POST?' });
    for (const text of ['CONNECT', 'constructor', '__proto__', 'GET ', '']) expectRefused(methods, text);
    expect(methods.matches('*', 'TRACE')).toBe(false);
  });

  test.each([[[]], [['']], [['*']], [['a', 'A']]])('oneOf(%j) is refused', (words) => {
    expect(() => scopes.oneOf(words)).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
