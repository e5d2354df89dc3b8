/** Writes schema/manifest.schema.json from the schema that validates manifests. Run it after a change of that schema. */
import { writeFile } from 'node:fs/promises';
import { manifestJsonSchema } from '../src/manifest/manifest-schema.js';

const target = new URL('../schema/manifest.schema.json', import.meta.url);
await writeFile(target, `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`);
