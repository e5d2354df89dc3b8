import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';

const examples = dirname(dirname(fileURLToPath(import.meta.url)));
const output = join(dirname(examples), 'build', 'examples');

/** Builds a TypeScript plugin of the examples into a folder that can be installed; returns the folder. */
export async function buildNodePlugin(name: string): Promise<string> {
  const directory = join(output, name);
  mkdirSync(directory, { recursive: true });
  cpSync(join(examples, name, 'manifest.yml'), join(directory, 'manifest.yml'));
  await build({
    config: false,
    entry: { main: join(examples, name, 'main.ts') },
    outDir: directory,
    format: 'esm',
    target: 'node20',
    tsconfig: join(dirname(examples), 'tsconfig.build.json'),
    external: [/^@synapse\//],
    silent: true,
    dts: false,
  });
  return directory;
}
