import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { manifestJsonSchema } from '../../src/manifest/index.js';
import { documentedTables } from './docs-tables.js';
import { parse, runnable } from './support.js';

const page = readFileSync(new URL('../../docs/manifest.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```(yaml|json)( fragment)?\n([\s\S]*?)^```/gm)].map(([, language, fragment, text]) => ({
  language,
  text: fragment === undefined ? (text ?? '') : `${runnable}${text}`,
}));

describe('docs/manifest.md', () => {
  it('has examples', () => {
    expect(blocks.length).toBeGreaterThan(5);
  });

  it.each(blocks.map(({ language, text }, index) => [index + 1, language, text] as const))(
    'example %i is valid and without a warning of its own',
    (_number, language, text) => {
      const { valid, problems } = parse(text, `manifest.${language === 'json' ? 'json' : 'yml'}`);
      expect(problems.filter(({ code }) => code !== 'LEGACY_PERMISSION' && code !== 'PERMISSION_NOT_AVAILABLE')).toEqual([]);
      expect(valid).toBe(true);
    },
  );

  it.each(Object.entries(documentedTables))('has the table of %s as the code has it', (_name, table) => {
    expect(page).toContain(table);
  });

  it('names every field of the schema', () => {
    const { properties } = manifestJsonSchema() as { properties: Record<string, unknown> };
    expect(Object.keys(properties).filter((field) => !page.includes(`\`${field}\``) && !page.includes(`${field}:`))).toEqual([]);
  });
});
