// Runs the simulation of two sessions over many seeds: npm run simulate -- --seeds 5000 --from 1
// Replays one seed with its whole trace: npm run simulate -- --seed 4711
import { parseArgs } from 'node:util';
import { simulate } from '../test/simulation/simulate.js';

const usage = 'Usage: npm run simulate -- [--seeds N] [--from S] | --seed S';

function readOptions(): { seeds: number; from: number; verbose: boolean } {
  const { values } = parseArgs({ options: { seeds: { type: 'string' }, from: { type: 'string' }, seed: { type: 'string' } } });
  const read = (name: 'seeds' | 'from' | 'seed', byDefault: number, least: number): number => {
    const text = values[name];
    const value = text === undefined ? byDefault : Number(text);
    if (!Number.isSafeInteger(value) || value < least) throw new Error(`--${name} must be an integer from ${least} on, not "${text}".`);
    return value;
  };
  if (values.seed !== undefined) return { seeds: 1, from: read('seed', 0, 0), verbose: true };
  return { seeds: read('seeds', 1_000, 1), from: read('from', 1, 0), verbose: false };
}

async function main(): Promise<number> {
  const { seeds, from, verbose } = readOptions();
  const startedAt = performance.now();
  const outcomes = new Map<string, number>();
  const failed: number[] = [];
  let messages = 0;
  for (let seed = from; seed < from + seeds; seed += 1) {
    const report = await simulate(seed, verbose ? (line) => console.log(line) : undefined);
    messages += report.messages;
    for (const [code, count] of report.outcomes) outcomes.set(code, (outcomes.get(code) ?? 0) + count);
    if (verbose) console.log(`trace ${report.traceHash}`);
    if (report.violations.length === 0) continue;
    failed.push(seed);
    console.log(`seed ${seed} broke an invariant; replay it with: npm run simulate -- --seed ${seed}`);
    for (const violation of report.violations) console.log(`  ${violation}`);
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const calls = [...outcomes.values()].reduce((sum, count) => sum + count, 0);
  const told = [...outcomes].sort((left, right) => right[1] - left[1]).map(([code, count]) => `${code} ${count}`);
  console.log(`outcomes: ${told.join(', ')}`);
  const verdict = failed.length === 0 ? 'all invariants held' : `broken by ${failed.length} seeds (${failed.slice(0, 10).join(', ')})`;
  console.log(`${seeds} seeds from ${from}: ${calls} calls, ${messages} messages in ${seconds} s: ${verdict}`);
  return failed.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  process.exitCode = 2;
}
