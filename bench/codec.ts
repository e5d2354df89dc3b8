/**
 * What encoding and decoding one message costs, by kind: this library's own codec, msgpackr behind the scan and the sender's check, and plain
 * msgpackr, which checks nothing. `npx tsx bench/codec.ts [rounds]` bundles the sources and measures them in plain node; the medians of interleaved
 * rounds are printed, in nanoseconds, with the ratio to plain msgpackr. On a shared machine only the ratios mean something.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';

const folder = mkdtempSync(join(tmpdir(), 'synapse-bench-codec-'));
try {
  await build({
    entry: { rounds: fileURLToPath(new URL('./codec-rounds.ts', import.meta.url)) },
    outDir: folder,
    format: 'esm',
    outExtension: () => ({ js: '.mjs' }),
    platform: 'node',
    target: 'node20',
    noExternal: [/./],
    config: false,
    dts: false,
    silent: true,
  });
  const outfile = join(folder, 'rounds.mjs');
  const profile = process.argv.includes('--cpu-prof') ? ['--cpu-prof', '--cpu-prof-dir=build'] : [];
  const { status } = spawnSync(process.execPath, [...profile, outfile, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
