import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fillIn, generatedParts } from '../../scripts/generated-docs.js';

describe('the generated parts of the documents', () => {
  it.each(Object.entries(generatedParts()))('%s says what the code says (npm run docs)', (file, parts) => {
    const document = readFileSync(file, 'utf8');
    expect(fillIn(document, parts)).toBe(document);
  });
});
