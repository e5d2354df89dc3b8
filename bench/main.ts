// npm run bench -- [--quick] [--json] [--only NAME]…
// Ours, the raw limit and the peers in one interleaved run; what counts are the ratios within it. This process only gives orders: what is measured runs
// in plain Node (bench/measured), ours by its public face and from the built package.
import { cpus } from 'node:os';
import { readCommandLine } from './command-line.js';
import { MeasuredProcesses } from './measured-process.js';
import { families, fullPace, manyConnections, quickPace, transports } from './plan.js';
import { type Machine, readableReport } from './report.js';
import { Samples } from './results.js';
import { runDecide } from './run-decide.js';
import { runIdleMemory, runWorkers } from './run-many.js';
import { pairWorkloadsOf, runPairs } from './run-pairs.js';

const options = readCommandLine(process.argv.slice(2));
if (typeof options === 'string') {
  process.stderr.write(`${options}\n`);
  process.exit(2);
}
const processes = new MeasuredProcesses();
process.on('exit', () => processes.end());
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.on(signal, () => process.exit(status));

const { only, quick, json } = options;
const pace = quick ? quickPace : fullPace;
const onlyTransports = transports.filter((name) => only.includes(name));
const onlyFamilies = families.filter((name) => only.includes(name));
const wants = (family: string): boolean => onlyFamilies.length === 0 || onlyFamilies.includes(family);
const samples = new Samples();
const problems: string[] = [];
const report = (problem: string): void => {
  problems.push(problem);
  process.stderr.write(`${problem}\n`);
};

for (const transport of onlyTransports.length === 0 ? transports : onlyTransports) {
  const workloads = pairWorkloadsOf(onlyFamilies);
  if (workloads.length > 0) await runPairs(processes, transport, workloads, pace, samples, report);
  const many = manyConnections.transports.find((name) => name === transport);
  if (many === undefined) continue;
  if (wants('idle-memory')) await runIdleMemory(processes, many, pace, samples, report);
  if (wants('workers')) await runWorkers(processes, many, pace, samples, report);
}
if (wants('decide') && onlyTransports.length === 0) await runDecide(processes, pace, samples);

const cores = cpus();
const machine: Machine = {
  cpu: cores[0]?.model.trim() ?? 'unknown',
  cores: cores.length,
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
};
const results = samples.results();
process.stdout.write(
  json ? `${JSON.stringify({ machine, rounds: pace.rounds, results }, null, 2)}\n` : readableReport(machine, pace.rounds, results),
);
// A figure that is missing because something failed is no success.
process.exitCode = problems.length === 0 ? 0 : 1;
