import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { bundledPackages, libraryEntries } from '../tsup.config.js';
import { root, run } from './run.js';

const dist = join(root, 'dist');
const next = join(root, 'build/dist-next');
const stampFile = join(root, 'build/dist-stamp.json');
const lockFile = join(root, 'build/dist.lock');
const inputs = ['src', 'transports', 'tsup.config.ts', 'tsconfig.base.json', 'tsconfig.build.json', 'package.json'];

/** Digests of the inputs that the present `dist` was built from. */
interface Stamp {
  js?: string;
  types?: string;
}

/**
 * Brings `dist` up to date: does nothing where it already is, so that a test run costs no build.
 *
 * The output is made aside and moved in file by file, old chunks are removed last: a program that is running out of `dist` meanwhile does not
 * find it half empty. Several callers at once wait for one another.
 *
 * @param options - `types: false` builds the JavaScript alone (a second instead of ten); declarations of an earlier build stay as they are.
 * @throws Error with the compiler's output when the build fails; `dist` is then as before.
 */
export async function ensureBuilt(options: { types: boolean; force?: boolean }): Promise<'built' | 'fresh'> {
  await mkdir(join(root, 'build'), { recursive: true });
  const unlock = await lock();
  try {
    const digest = await digestOfInputs();
    const stamp = await readStamp();
    const fresh = stamp.js === digest && (!options.types || stamp.types === digest);
    if (fresh && !options.force) return 'fresh';
    await rm(next, { recursive: true, force: true });
    await compile(options.types);
    await writeFile(join(next, 'THIRD-PARTY-LICENSES.txt'), await licencesOfBundled());
    await rm(stampFile, { force: true });
    await moveIn(options.types);
    const made: Stamp = options.types ? { js: digest, types: digest } : { ...stamp, js: digest };
    await writeFile(stampFile, JSON.stringify(made));
    return 'built';
  } finally {
    await unlock();
  }
}

async function compile(types: boolean): Promise<void> {
  const tsup = join(root, 'node_modules/tsup/dist/cli-default.js');
  const result = await run(process.execPath, [tsup, '--out-dir', next, ...(types ? [] : ['--no-dts'])]);
  if (!result.ok) throw new Error(`The build failed:\n${result.output}`);
  const expected = Object.keys(libraryEntries).flatMap((entry) => [
    `${entry}.js`,
    `${entry}.cjs`,
    ...(types ? [`${entry}.d.ts`, `${entry}.d.cts`] : []),
  ]);
  for (const file of expected) await stat(join(next, file));
}

async function moveIn(types: boolean): Promise<void> {
  const made = await filesUnder(next);
  // Chunks stand at the top and are what entries import: they go first.
  made.sort((a, b) => Number(b.startsWith('chunk-')) - Number(a.startsWith('chunk-')));
  for (const file of made) {
    const target = join(dist, file);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(next, file), `${target}.new`);
    await rename(`${target}.new`, target);
  }
  const kept = new Set(made);
  for (const file of await filesUnder(dist)) {
    const isDeclaration = /\.d\.c?ts$/.test(file);
    if (!kept.has(file) && (types || !isDeclaration)) await rm(join(dist, file));
  }
  await rm(next, { recursive: true, force: true });
}

async function licencesOfBundled(): Promise<string> {
  const texts = await Promise.all(
    bundledPackages.map(async (name) => `${name}\n\n${await readFile(join(root, 'node_modules', name, 'LICENSE'), 'utf8')}`),
  );
  return `This build contains code of the following packages.\n\n${texts.join('\n')}`;
}

async function digestOfInputs(): Promise<string> {
  const hash = createHash('sha256');
  for (const input of inputs) {
    const path = join(root, input);
    const files = (await stat(path)).isDirectory() ? (await filesUnder(path)).map((file) => join(path, file)) : [path];
    for (const file of files.sort()) {
      hash
        .update(`${file}\0`)
        .update(await readFile(file))
        .update('\0');
    }
  }
  return hash.digest('hex');
}

async function readStamp(): Promise<Stamp> {
  try {
    await stat(join(dist, 'index.js'));
    return JSON.parse(await readFile(stampFile, 'utf8')) as Stamp;
  } catch {
    return {};
  }
}

async function filesUnder(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

async function lock(): Promise<() => Promise<void>> {
  const giveUpAt = Date.now() + 120_000;
  for (;;) {
    try {
      const descriptor = openSync(lockFile, 'wx');
      writeSync(descriptor, String(process.pid));
      closeSync(descriptor);
      return () => rm(lockFile, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const holder = Number(await readFile(lockFile, 'utf8').catch(() => ''));
      if (holder > 0 && !isAlive(holder)) await rm(lockFile, { force: true });
      else if (Date.now() > giveUpAt) throw new Error(`Another build (process ${holder}) has held ${lockFile} for two minutes.`);
      else await sleep(100);
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const types = !process.argv.includes('--quick');
  const startedAt = Date.now();
  try {
    const outcome = await ensureBuilt({ types, force: process.argv.includes('--force') });
    // Not on standard output: what the commands after this print may be read by a program.
    console.error(`dist is ${outcome === 'fresh' ? 'up to date' : `built in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
