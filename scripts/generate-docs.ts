import { readFileSync, writeFileSync } from 'node:fs';
import { fillIn, generatedParts } from './generated-docs.js';

for (const [file, parts] of Object.entries(generatedParts())) writeFileSync(file, fillIn(readFileSync(file, 'utf8'), parts));
