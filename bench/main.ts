// npm run bench [-- --only stdio] [--quick] [--json]
// Ours, the raw limit and the peers in one interleaved run; what counts are the ratios within it.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Peer } from './peers/peer.js';
import { nodeIpc, ours, raw, vscodeJsonrpc } from './peers/stdio-peers.js';
import { callsPerSecond, latencyMicroseconds } from './workloads.js';

const { values } = parseArgs({
  options: { only: { type: 'string' }, quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
});
if (values.only !== undefined && values.only !== 'stdio') {
  process.stderr.write(`There is no benchmark "${values.only}"; the transports are: stdio.\n`);
  process.exit(2);
}

interface Result {
  readonly transport: string;
  readonly workload: string;
  readonly peer: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  ratioToRaw: number;
  ratioToFastestPeer: number;
}

const rounds = values.quick ? 3 : 5;
const durationMs = values.quick ? 500 : 1_500;
const peers: readonly Peer[] = [ours, raw('batch'), raw('frame'), nodeIpc, vscodeJsonrpc];
const workloads = [
  { name: 'calls', unit: 'calls/s', higherIsBetter: true, run: callsPerSecond },
  { name: 'latency', unit: 'µs (p50)', higherIsBetter: false, run: latencyMicroseconds },
];

const samples = new Map<string, number[]>();
for (let round = 0; round < rounds; round++) {
  for (const peer of peers) {
    const running = await peer.start();
    for (const { name, run } of workloads) {
      const key = `${name} ${peer.name}`;
      samples.set(key, [...(samples.get(key) ?? []), await run(running, durationMs)]);
    }
    await running.stop();
  }
}

const results: Result[] = [];
for (const { name, unit, higherIsBetter } of workloads) {
  const ofWorkload = peers.map((peer): Result => {
    const sorted = (samples.get(`${name} ${peer.name}`) ?? []).toSorted((left, right) => left - right);
    const at = (index: number): number => sorted[index] ?? Number.NaN;
    return {
      transport: 'stdio',
      workload: name,
      peer: peer.name,
      median: at(sorted.length >> 1),
      min: at(0),
      max: at(sorted.length - 1),
      unit,
      ratioToRaw: 0,
      ratioToFastestPeer: 0,
    };
  });
  const best = (candidates: readonly Result[]): number =>
    candidates.map((result) => result.median).reduce((left, right) => (higherIsBetter === left > right ? left : right));
  const rawBest = best(ofWorkload.filter((result) => result.peer.startsWith('raw')));
  const peerBest = best(ofWorkload.filter((result) => result.peer !== 'ours' && !result.peer.startsWith('raw')));
  for (const result of ofWorkload) {
    result.ratioToRaw = result.median / rawBest;
    result.ratioToFastestPeer = result.median / peerBest;
  }
  results.push(...ofWorkload);
}

const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version, platform: `${process.platform} ${process.arch}` };
if (values.json) process.stdout.write(`${JSON.stringify({ machine, rounds, results }, null, 2)}\n`);
else {
  process.stdout.write(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; medians of ${rounds} interleaved rounds\n`);
  for (const result of results) {
    const figures = [result.median, result.min, result.max].map((value) =>
      (value > 1_000 ? Math.round(value).toString() : value.toFixed(1)).padStart(9),
    );
    process.stdout.write(
      `${result.workload.padEnd(8)} ${result.peer.padEnd(34)} ${figures[0]} ${result.unit.padEnd(9)} (${figures[1]?.trim()}–${figures[2]?.trim()})  ${result.ratioToRaw.toFixed(2)} × raw  ${result.ratioToFastestPeer.toFixed(2)} × fastest peer\n`,
    );
  }
}
