import { relative } from 'node:path';
import { libraryEntries, neutralEntries } from '../tsup.config.js';
import { ensureBuilt } from './build.js';
import { Checks, root, run } from './run.js';

// Compiles the consumers of test/types against the built declarations, without skipLibCheck: what a user's own compiler would say.
const nodeSide = Object.keys(libraryEntries).filter((entry) => entry !== 'plugin/index');
const consumers = [
  { folder: 'test/types/node', entries: nodeSide, forbidden: undefined },
  { folder: 'test/types/dom', entries: neutralEntries, forbidden: /\/node_modules\/@types\/node\// },
] as const;

const checks = new Checks();
await ensureBuilt({ types: true });
for (const { folder, entries, forbidden } of consumers) {
  const { ok, output } = await run(process.execPath, ['node_modules/typescript/lib/tsc.js', '-p', folder, '--listFiles']);
  const files = output.split('\n').filter((line) => line.startsWith('/') || /^[A-Z]:/.test(line));
  const complaints = output.split('\n').filter((line) => !files.includes(line));
  checks.note(`${folder} compiles`, ok ? undefined : complaints.join('\n'));

  const used = new Set(files.map((file) => relative(root, file)));
  const unused = entries.flatMap((entry) => [`dist/${entry}.d.ts`, `dist/${entry}.d.cts`]).filter((file) => !used.has(file));
  checks.note(`${folder} uses every entry in both formats`, unused.length > 0 ? `not used: ${unused.join(', ')}` : undefined);
  const foreign = forbidden === undefined ? [] : files.filter((file) => forbidden.test(file));
  checks.note(`${folder} needs no other platform's types`, foreign.length > 0 ? `reached: ${foreign.slice(0, 3).join(', ')}` : undefined);
}
checks.finish();
