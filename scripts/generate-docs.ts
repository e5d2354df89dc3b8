import { readFileSync, writeFileSync } from 'node:fs';
import { fillIn, generatedParts } from './generated-docs.js';
import { refreshSnippets } from './snippets.js';

// npm run docs: puts what the code says into the documents.
for (const [file, parts] of Object.entries(generatedParts())) writeFileSync(file, fillIn(readFileSync(file, 'utf8'), parts));
for (const file of ['README.md', 'docs/embedding.md', 'docs/transports.md']) writeFileSync(file, refreshSnippets(readFileSync(file, 'utf8')));
