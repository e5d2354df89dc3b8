import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { looseBlocks, snippetsOf } from '../../scripts/snippets.js';

const readme = readFileSync('README.md', 'utf8');

describe('the README', () => {
  test.each(snippetsOf(readme))('shows $file as it is (npm run docs)', ({ file, code }) => {
    expect(code).toBe(readFileSync(file, 'utf8'));
  });

  test('shows no code that no file stands behind', () => {
    expect(snippetsOf(readme).length).toBeGreaterThan(4);
    expect(looseBlocks(readme)).toEqual([]);
  });
});
