import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { citationsInPython, citationsInTypeScript } from './helpers/citations.js';
import { requirements } from './requirements.js';

const root = join(import.meta.dirname, '..');
const cited = new Map<string, string[]>();
for (const [folder, isTest, read] of [
  ['test', /\.test\.ts$/, citationsInTypeScript],
  ['sdk/python', /(^|\/)test_[^/]*\.py$/, citationsInPython],
] as const) {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  for (const name of names.filter((file) => isTest.test(file) && !/(^|\/)(node_modules|\.?venv|build)\//.test(file))) {
    for (const id of read(readFileSync(join(root, folder, name), 'utf8'))) cited.set(id, [...(cited.get(id) ?? []), join(folder, name)]);
  }
}

test('no id stands twice in the list', () => {
  const ids = requirements.map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});

test('every cited id is in the list', () => {
  const known = new Set<string>(requirements.map(({ id }) => id));
  expect([...cited].filter(([id]) => !known.has(id)).map(([id, files]) => `${id} in ${files.join(', ')}`)).toEqual([]);
});

test('every requirement is cited by a test', () => {
  const missing = requirements.filter(({ id, planned }) => planned === undefined && !cited.has(id));
  expect(missing.map(({ id, text }) => `${id}: ${text}`)).toEqual([]);
});

test('a requirement that a test cites is not marked as planned', () => {
  expect(requirements.filter(({ id, planned }) => planned !== undefined && cited.has(id)).map(({ id }) => `${id}: remove planned`)).toEqual([]);
});
