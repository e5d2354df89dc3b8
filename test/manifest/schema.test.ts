import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { manifestJsonSchema } from '../../src/manifest/index.js';

const checkedIn: unknown = JSON.parse(readFileSync(new URL('../../schema/manifest.schema.json', import.meta.url), 'utf8'));

describe('schema/manifest.schema.json', () => {
  it('[manifest.schema-file] is what the schema gives today; after a change run scripts/generate-manifest-schema.ts', () => {
    expect(checkedIn).toEqual(JSON.parse(JSON.stringify(manifestJsonSchema())));
  });

  it('describes every field, and requires what the host requires', () => {
    const { properties, required } = checkedIn as { properties: Record<string, { description?: string }>; required: string[] };
    for (const [name, field] of Object.entries(properties)) expect(field.description, name).toMatch(/\w/);
    expect([...required].sort()).toEqual(['author', 'id', 'name', 'type', 'version']);
  });
});
