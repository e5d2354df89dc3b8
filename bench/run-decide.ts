import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'tsup';
import type { MeasuredProcesses } from './measured-process.js';
import type { Pace, Workload } from './plan.js';
import type { Samples } from './results.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const decideAt = (grants: number): Workload => ({ name: `decide-${grants}`, unit: 'µs/decision', higherIsBetter: false });

/** Decisions at few and at many grants. */
export async function runDecide(processes: MeasuredProcesses, { rounds, durationMs }: Pace, samples: Samples): Promise<void> {
  await mkdir(join(root, 'build'), { recursive: true });
  const folder = await mkdtemp(join(root, 'build', 'bench-'));
  const decider = processes.start('decide.mjs');
  try {
    const module = await compilePolicy(folder);
    for (const grants of [10, 10_000]) {
      for (const peer of ['ours', 'raw']) await decider.order('open', { peer, grants, module }, 20_000);
      for (let round = 0; round <= rounds; round++) {
        for (const peer of ['ours', 'raw']) {
          const sample = (await decider.order('measure', { peer, grants, durationMs }, 20_000)) as number;
          if (round > 0) samples.add('policy', decideAt(grants), peer, sample);
        }
      }
    }
  } finally {
    await decider.end();
    await rm(folder, { recursive: true, force: true });
  }
}

/** `decide` is not part of the public face; it is compiled as the package is. */
async function compilePolicy(folder: string): Promise<string> {
  await build({
    config: false,
    entry: { policy: join(root, 'bench', 'policy-entry.ts') },
    outDir: folder,
    format: 'esm',
    target: 'node20',
    tsconfig: join(root, 'tsconfig.build.json'),
    outExtension: () => ({ js: '.mjs' }),
    silent: true,
    clean: false,
  });
  return pathToFileURL(join(folder, 'policy.mjs')).href;
}
