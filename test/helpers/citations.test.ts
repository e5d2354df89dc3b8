import { expect, test } from 'vitest';
import { citationsInPython, citationsInTypeScript } from './citations.js';

test('ids are found in plain, template and parametrised titles, several in one', () => {
  const source = [
    "test('[a.one] [a.two] does', () => {});",
    'describe(`[b.three] for $' + '{name}`, () => { it.each([1])("[c.four] %s", () => {}); });',
    "test.concurrent.for(rows)('[d.five-6]', fn);",
  ].join('\n');
  expect(citationsInTypeScript(source)).toEqual(['a.one', 'a.two', 'b.three', 'c.four', 'd.five-6']);
});

test('tests that do not run, other strings and indexing are no citations', () => {
  const source = [
    "test.skip('[a.one]', () => {});",
    "describe.skip('x', () => { test('[a.two]', () => {}); });",
    "test.todo('[a.three]');",
    "log('[a.four]'); const x = map[key.id];",
  ].join('\n');
  expect(citationsInTypeScript(source)).toEqual([]);
});

test('Python cites by a marker', () => {
  const source = '@pytest.mark.requirement("a.one", "a.two")\nasync def test_x(): rows[key.id]\n    # @pytest.mark.requirement("a.three")\n';
  expect(citationsInPython(source)).toEqual(['a.one', 'a.two']);
});
