import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseVersionConstraint, satisfiesVersion } from '../../src/manifest/index.js';

describe('version constraints, with the grammar of the host', () => {
  it.each(['*', '1.0.0', '>=1.0.0', '>1.0.0', '<=1.0.0', '<1.0.0', '^1.0.0', '~1.0.0', '>=1.0.0-beta.1', '0.0.0', '2147483647.0.0'])(
    'reads %s',
    (text) => {
      expect(parseVersionConstraint(text).text).toBe(text);
    },
  );
  it.each([
    '',
    ' ',
    '1',
    '1.0',
    '1.x',
    '1.0.x',
    '>= 1.0.0',
    '>=1.0.0 <2.0.0',
    '>=1.0.0,<2.0.0',
    '1.0.0 || 2.0.0',
    '1.0.0 - 2.0.0',
    '==1.0.0',
    '=1.0.0',
    'v1.0.0',
    'latest',
    '**',
    '1.0.0-',
    '1.0.0+b',
    '1.0.0-a b',
    '2147483648.0.0',
    `1.0.${'9'.repeat(500)}`,
  ])('refuses %s', (text) => {
    expect(() => parseVersionConstraint(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('[manifest.version-grammar] satisfiesVersion, with the semantics of the host', () => {
  it.each([
    ['1.0.0', '*', true],
    ['nonsense', '*', true],
    ['1.0.0', '1.0.0', true],
    ['1.0.1', '1.0.0', false],
    ['1.0.0-beta', '1.0.0', false],
    ['1.0.0+build', '1.0.0', true],
    ['1.10.0', '>1.9.0', true],
    ['1.0.0', '>1.0.0', false],
    ['1.0.0', '<=1.0.0', true],
    ['1.0.0', '<1.0.0', false],
    // Unlike npm, ^ means the same major number also below 1.
    ['0.9.0', '^0.2.0', true],
    ['0.1.9', '^0.2.0', false],
    ['0.0.2', '^0.0.1', true],
    ['1.0.0', '^0.2.0', false],
    ['1.9.9', '^1.2.0', true],
    ['2.0.0', '^1.2.0', false],
    ['1.2.9', '~1.2.3', true],
    ['1.3.0', '~1.2.3', false],
    // Unlike npm, a pre-release is a version like any other.
    ['2.0.0-beta', '>=1.0.0', true],
    ['1.0.0-beta', '>=1.0.0', false],
    ['1.0.0-beta', '>=1.0.0-alpha', true],
    ['1.0.0', '>=1.0.0-beta', true],
    ['2.0.0-beta', '^1.0.0', false],
    ['1.0.0-beta.10', '>=1.0.0-beta.2', false],
    // Missing numbers are 0; a fourth one is ignored.
    ['1', '1.0.0', true],
    ['1.2', '>=1.2.0', true],
    ['1.2.3.4', '1.2.3', true],
    // What cannot be read fits nothing but *.
    ['1.0.0rc1', '>=0.0.0', false],
    ['', '>=0.0.0', false],
    ['v1.0.0', '>=0.0.0', false],
  ] as const)('%s against %s: %s', (version, constraint, fits) => {
    expect(satisfiesVersion(version, constraint)).toBe(fits);
    expect(satisfiesVersion(version, parseVersionConstraint(constraint))).toBe(fits);
  });

  const version = fc
    .tuple(fc.nat(5), fc.nat(5), fc.nat(5), fc.option(fc.constantFrom('a', 'b', 'a.1')))
    .map(([a, b, c, pre]) => `${a}.${b}.${c}${pre === null ? '' : `-${pre}`}`);

  it('orders versions totally, and the operators agree with each other', () => {
    fc.assert(
      fc.property(version, version, (left, right) => {
        const [below, equal, above] = [`<${right}`, right, `>${right}`].map((constraint) => satisfiesVersion(left, constraint));
        expect([below, equal, above].filter(Boolean)).toHaveLength(1);
        expect(satisfiesVersion(left, `<=${right}`)).toBe(below || equal);
        expect(satisfiesVersion(left, `>=${right}`)).toBe(above || equal);
        if (satisfiesVersion(left, `~${right}`)) expect(satisfiesVersion(left, `^${right}`)).toBe(true);
        if (satisfiesVersion(left, `^${right}`)) expect(satisfiesVersion(left, `>=${right}`)).toBe(true);
        expect(satisfiesVersion(right, above ? `<${left}` : `>=${left}`)).toBe(true);
      }),
    );
  });
});
