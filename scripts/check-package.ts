import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from './build.js';
import { Checks, root, run } from './run.js';

// Packs the tarball that would be published, inspects it, installs it into an empty folder and loads every entry as a user would.
// The network is used for one thing: the registry, for the package's own dependencies.
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
const checks = new Checks();
const tools = join(root, 'node_modules/.bin');

await ensureBuilt({ types: true });
const packed = join(root, 'build/package');
rmSync(packed, { recursive: true, force: true });
mkdirSync(packed, { recursive: true });
const pack = await run('npm', ['pack', '--ignore-scripts', '--pack-destination', packed]);
const tarball = readdirSync(packed).find((file) => file.endsWith('.tgz'));
checks.note('npm pack', pack.ok && tarball !== undefined ? undefined : pack.output);

if (tarball !== undefined) {
  const archive = join(packed, tarball);
  await checkTool('publint', 'publint', [archive, '--strict']);
  await checkTool('are the types wrong', 'attw', [archive, '--profile', 'node16', '--no-color', '--no-emoji']);

  const empty = mkdtempSync(join(tmpdir(), 'synapse-package-'));
  try {
    await checkInstalled(archive, empty);
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
}
checks.finish();

async function checkTool(name: string, command: string, args: readonly string[]): Promise<void> {
  const { ok, output } = await run(join(tools, command), args);
  checks.note(name, ok ? undefined : output);
}

async function checkInstalled(archive: string, folder: string): Promise<void> {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const install = await run('npm', ['install', archive, '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder });
  checks.note('installs into an empty folder', install.ok ? undefined : install.output);
  if (!install.ok) return;

  checkContents(join(folder, 'node_modules', manifest.name));

  const entries = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');
  for (const entry of entries) {
    const specifier = JSON.stringify(manifest.name + entry.slice(1));
    await checkLoads(
      folder,
      `import ${entry}`,
      'module',
      `const loaded = await import(${specifier}); if (Object.keys(loaded).length === 0) throw new Error('exports nothing');`,
    );
    await checkLoads(
      folder,
      `require ${entry}`,
      'commonjs',
      `if (Object.keys(require(${specifier})).length === 0) throw new Error('exports nothing');`,
    );
  }

  const bin = join(folder, 'node_modules/.bin/synapse-worker');
  const version = await run(bin, ['--version'], { cwd: folder });
  checks.note(
    'synapse-worker --version',
    version.ok && version.stdout.trim() === manifest.version ? undefined : `${version.output}\nexpected ${manifest.version}`,
  );
  const help = await run(bin, ['--help'], { cwd: folder });
  checks.note(
    'synapse-worker --help',
    help.ok && ['validate', 'run'].every((verb) => help.stdout.includes(verb)) ? undefined : `${help.output}\nexpected validate and run`,
  );
}

async function checkLoads(folder: string, name: string, type: 'module' | 'commonjs', code: string): Promise<void> {
  // A warning on loading (an experimental feature, a deprecated call) would be every user's warning.
  const { ok, output } = await run(process.execPath, [`--input-type=${type}`, '--eval', code], { cwd: folder });
  checks.note(name, ok && output === '' ? undefined : output);
}

function checkContents(installed: string): void {
  const files = readdirSync(installed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(installed.length + 1)
        .replaceAll('\\', '/'),
    );
  const required = [
    /^LICENSE$/,
    /^README\.md$/,
    /^CHANGELOG\.md$/,
    /^dist\/THIRD-PARTY-LICENSES\.txt$/,
    /^dist\/cli\/main\.js$/,
    /^schema\/manifest\.schema\.json$/,
    /^sdk\/python\/pyproject\.toml$/,
    /^sdk\/python\/src\/.+\.py$/,
  ];
  const missing = required.filter((pattern) => !files.some((file) => pattern.test(file)));
  checks.note('holds what it must', missing.length > 0 ? `missing: ${missing.join(', ')}` : undefined);

  const unwanted = files.filter((file) =>
    /(^|\/)(tests?|node_modules|build|__pycache__)\/|\.(test|spec)\.|\.map$|\.tsbuildinfo$|\.py[co]$|\.egg-info\/|(?<!\.d)\.[cm]?ts$/.test(file),
  );
  checks.note('holds nothing else', unwanted.length > 0 ? unwanted.slice(0, 10).join('\n') : undefined);

  const places = [root, homedir()].filter((place) => place.length > 1);
  const telling = files.filter((file) => {
    const text = readFileSync(join(installed, file), 'latin1');
    return places.some((place) => text.includes(`${place}/`)) || text.includes('sourceMappingURL=');
  });
  checks.note('names no path of this machine, and no source map that is not there', telling.length > 0 ? telling.join('\n') : undefined);
}
