import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern, type LinearPattern } from '../../src/manifest/linear-pattern.js';

function compile(source: string): LinearPattern {
  const compiled = compilePattern(source);
  if ('repair' in compiled) throw new Error(`${source} ${compiled.repair}`);
  return compiled;
}

describe('compilePattern', () => {
  it.each([
    ['^sk-[a-z0-9]{3,5}$', ['sk-abc', 'sk-abc12'], ['sk-ab', 'sk-abc123', 'xsk-abc', 'SK-abc']],
    ['abc', ['abc', 'xabcx'], ['ab', 'ABC', '']],
    ['^(?:https?|ftp)://', ['http://x', 'ftp://'], ['xhttp://', 'htt://']],
    ['^$', [''], ['x']],
    ['', ['', 'x'], []],
    ['^a|b$', ['ax', 'xb'], ['xa', 'bx']],
    ['^[^\\d\\s]+$', ['abc'], ['a1', 'a b', '']],
    ['^[\\w.-]+@[\\w-]+$', ['a.b-c@d'], ['a b@c']],
    ['^.$', ['x', '😀', 'é'], ['', 'xx', '\n']],
    ['^a{0}b{2}c?$', ['bb', 'bbc'], ['abb', 'b']],
    ['^(a*)*$', ['', 'aaa'], ['b']],
    ['^[]$', [], ['', 'x']],
    ['^\\u0041\\x42\\n\\.$', ['AB\n.'], ['ABnx']],
    ['^[a-c-]+$', ['a-c'], ['d']],
  ])('%s', (source, found, missed) => {
    const pattern = compile(source);
    for (const text of found) expect(pattern.test(text), text).toBe(true);
    for (const text of missed) expect(pattern.test(text), text).toBe(false);
  });

  it.each([
    '(',
    ')',
    '[',
    'a)',
    '(?=x)',
    '(?!x)',
    '(?<=x)',
    '(?<n>x)',
    '(?i)x',
    '\\1',
    '\\b',
    '\\p{L}',
    '*',
    '+a',
    'a**',
    'a{2}{3}',
    'a{3,2}',
    'a{x}',
    '^*',
    '[z-a]',
    '\\',
    'a{9999}',
    '\\x1',
    'x'.repeat(257),
    '((a{900}){900}){900}',
  ])('refuses %s with the repair', (source) => {
    expect(compilePattern(source)).toEqual({ repair: expect.any(String) });
  });

  it('never takes long, whatever was written and whatever it is tried on', () => {
    for (const source of ['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '(.*a){20}', '^(([a-z])+.)+[A-Z]([a-z])+$', '(a?){50}a{50}', 'a*a*a*a*a*a*b']) {
      const pattern = compile(source);
      const start = performance.now();
      pattern.test(`${'a'.repeat(4_095)}!`);
      expect(performance.now() - start, source).toBeLessThan(2_000);
    }
  });

  it('does not look at texts of more than 4,096 characters', () => {
    expect(compile('a').test('a'.repeat(4_096))).toBe(true);
    expect(compile('a').test('a'.repeat(4_097))).toBe(false);
  });

  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', '(?:ab|c)', '(a|b*)', '^', '$', '1');
  const piece = fc
    .tuple(atom, fc.constantFrom('', '*', '+', '?', '{2}', '{0,2}', '{1,}', '*?'))
    .map(([part, times]) => (part === '^' || part === '$' ? part : part + times));
  const source = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));

  it('agrees with the engine of JavaScript', () => {
    fc.assert(
      fc.property(fc.tuple(source, source, fc.boolean()), fc.stringMatching(/^[abc1 ]{0,8}$/), ([left, right, either], text) => {
        const whole = either ? `${left}|${right}` : left;
        expect(compile(whole).test(text)).toBe(new RegExp(whole, 'u').test(text));
      }),
      { numRuns: 1_000 },
    );
  });
});
