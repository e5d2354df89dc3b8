import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { looseBlocks, snippetsOf } from '../../scripts/snippets.js';

const page = readFileSync('docs/transports.md', 'utf8');

describe('docs/transports.md', () => {
  test.each(snippetsOf(page))('shows $file as it is (npm run docs)', ({ file, code }) => {
    expect(code).toBe(readFileSync(file, 'utf8'));
  });

  test('shows no code that no file stands behind', () => {
    expect(snippetsOf(page).length).toBeGreaterThan(3);
    expect(looseBlocks(page)).toEqual([]);
  });
});
