import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { ensureBuilt } from './build.js';
import { Checks, root, run } from './run.js';

// Runs the whole suite on each supported major version of Node: `npm run test:nodes`, or `npm run test:nodes -- 22 24`.
const supported = ['20', '22', '24'];
const asked = process.argv.slice(2);
const majors = asked.length > 0 ? asked : supported;
const checks = new Checks();

/** What Vitest's JSON reporter writes, as far as it is read here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
}

/**
 * The binary of a major version: the running one where it fits, else the newest from the registry, kept under build/.
 *
 * The npm package `node` fetches its binary by an install script, which many set-ups refuse to run; this installs the very package that the
 * script would, `node-<platform>-<arch>`, whose tarball is the binary.
 */
async function nodeBinary(major: string): Promise<string> {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = join(root, 'build/nodes', major);
  const binary = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const install = await run('npm', ['install', `${name}@${major}`, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
    if (!install.ok || !existsSync(binary)) throw new Error(`${name}@${major} cannot be installed:\n${install.output}`);
  }
  return binary;
}

async function runSuite(major: string): Promise<void> {
  const binary = await nodeBinary(major);
  const { stdout } = await run(binary, ['--version']);
  const version = stdout.trim();
  if (!version.startsWith(`v${major}.`)) return checks.note(`Node ${major}`, `its binary says ${version || 'nothing'}`);
  const reportFile = join(root, `build/test-node-${major}.json`);
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=dot', '--reporter=json', `--outputFile.json=${reportFile}`];
  // Programs that the tests start by name find this Node too.
  const env = { ...process.env, PATH: `${dirname(binary)}${delimiter}${process.env.PATH ?? ''}` };
  const { ok, output } = await run(binary, args, { env });
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(reportFile, 'utf8')) as Report;
  const name = `Node ${version}: ${numPassedTests} tests passed, ${numFailedTests} failed`;
  checks.note(name, ok && numPassedTests > 0 ? undefined : output);
}

await ensureBuilt({ types: false });
for (const major of majors) {
  try {
    if (!supported.includes(major)) throw new Error(`not one of the supported versions ${supported.join(', ')}`);
    await runSuite(major);
  } catch (error) {
    checks.note(`Node ${major}`, error instanceof Error ? error.message : String(error));
  }
}
checks.finish();
