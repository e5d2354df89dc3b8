import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { looseBlocks, snippetsOf } from '../../scripts/snippets.js';

const page = readFileSync('docs/embedding.md', 'utf8');

describe('docs/embedding.md', () => {
  test.each(snippetsOf(page))('shows $file as it is (npm run docs)', ({ file, code }) => {
    expect(code).toBe(readFileSync(file, 'utf8'));
  });

  test('shows no code that no file stands behind', () => {
    expect(looseBlocks(page)).toEqual([]);
  });

  test('shows the whole program of the host; test/demo runs it', () => {
    const files = readdirSync('examples/embedding', { withFileTypes: true }).filter((entry) => entry.isFile());
    const shown = snippetsOf(page).map(({ file }) => file);
    expect(shown).toEqual(expect.arrayContaining(files.map(({ name }) => `examples/embedding/${name}`)));
  });

  test('links only to sections that are there', () => {
    for (const [, file, anchor] of page.matchAll(/\]\(([a-z-]+\.md)?#([a-z-]+)\)/g)) {
      const target = file === undefined ? page : readFileSync(`docs/${file}`, 'utf8');
      const anchors = [...target.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replaceAll(/[^a-z0-9 -]/g, '')
          .replaceAll(' ', '-'),
      );
      expect(anchors).toContain(anchor);
    }
  });
});
