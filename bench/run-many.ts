import { execFileSync } from 'node:child_process';
import type { MeasuredProcess, MeasuredProcesses } from './measured-process.js';
import { manyConnections, type Pace, type Workload } from './plan.js';
import type { Samples } from './results.js';

type Report = (problem: string) => void;
type ManyTransport = (typeof manyConnections.transports)[number];

const idleMemory: Workload = { name: 'idle-memory', unit: 'KiB/connection', higherIsBetter: false };
const idleRss: Workload = { name: 'idle-rss', unit: 'KiB/connection', higherIsBetter: false };
const workersAt = (connections: number, spread: boolean): Workload => ({
  name: spread ? `workers-spread-${connections}` : `workers-${connections}`,
  unit: 'µs (p50)',
  higherIsBetter: false,
});
/** Calls go in turns to so many of the connections, or to all. */
const fewConnections = 10;

/** Processes that hold the other ends. */
const holders = 4;
/** Descriptors that a process needs beside its connections. */
const spareDescriptors = 256;
const limitMs = (connections: number): number => 30_000 + 60 * connections;

/** With fewer connections the resident set tells more of the allocator than of them. */
const leastConnectionsForRss = 1_000;

/** Memory of the host for each idle connection. Rounds are processes of their own, since memory that was used once stays in use. */
export async function runIdleMemory(
  processes: MeasuredProcesses,
  transport: ManyTransport,
  { idleRounds, idleConnections, idlePeers }: Pace,
  samples: Samples,
  report: Report,
): Promise<void> {
  const failed = new Set<string>();
  for (let round = 0; round < idleRounds; round++) {
    for (const peer of manyConnections.memoryPeers[transport]) {
      if (failed.has(peer) || (!idlePeers && !manyConnections.workersPeers.includes(peer as 'ours'))) continue;
      const many = processes.start('many.mjs');
      try {
        await many.order('open', { transport, peer, processes: 1, reserve: idleConnections + 16 }, limitMs(idleConnections));
        const held = (await many.order('memory', { connections: idleConnections }, limitMs(idleConnections))) as {
          readonly used: number;
          readonly rss: number;
        };
        samples.add(transport, idleMemory, peer, held.used);
        if (idleConnections >= leastConnectionsForRss) samples.add(transport, idleRss, peer, held.rss);
      } catch (error) {
        failed.add(peer);
        samples.drop(transport, peer, [idleMemory, idleRss]);
        report(`${peer} over ${transport} was left out of ${idleMemory.name}: ${error instanceof Error ? error.message : String(error)}`);
      } finally {
        await many.end();
      }
    }
  }
}

/** A call at ever more connections, ours and raw in turns. */
export async function runWorkers(
  processes: MeasuredProcesses,
  transport: ManyTransport,
  { rounds, durationMs, workerCounts }: Pace,
  samples: Samples,
  report: Report,
): Promise<void> {
  const possible = workerCounts.filter((count) => count + spareDescriptors <= descriptorLimit());
  for (const count of workerCounts.filter((each) => !possible.includes(each))) {
    report(`${count} connections need more open files than this machine allows (ulimit -n ${descriptorLimit()}); there is no figure for them.`);
  }
  const callers: { readonly peer: string; readonly process: MeasuredProcess }[] = [];
  const failed = new Set<string>();
  const attempt = async (peer: string, connections: number, work: () => Promise<unknown>): Promise<void> => {
    if (failed.has(peer)) return;
    try {
      await work();
    } catch (error) {
      failed.add(peer);
      samples.drop(transport, peer, [workersAt(connections, false), workersAt(connections, true)]);
      report(
        `${peer} over ${transport} was left out of workers from ${connections} connections on: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  try {
    const reserve = Math.max(0, ...possible);
    for (const peer of manyConnections.workersPeers) {
      const process = processes.start('many.mjs');
      callers.push({ peer, process });
      await attempt(peer, 0, () => process.order('open', { transport, peer, processes: holders, reserve }, limitMs(reserve)));
    }
    for (const connections of possible) {
      for (const { peer, process } of callers) {
        await attempt(peer, connections, () => process.order('grow', { connections }, limitMs(connections)));
      }
      for (let round = 0; round <= rounds; round++) {
        for (const { peer, process } of callers) {
          for (const spread of connections > fewConnections ? [false, true] : [false]) {
            await attempt(peer, connections, async () => {
              const sample = (await process.order('measure', { durationMs, spread }, limitMs(0) + 4 * durationMs)) as number;
              if (round > 0) samples.add(transport, workersAt(connections, spread), peer, sample);
            });
          }
        }
      }
    }
  } finally {
    await Promise.all(callers.map(({ process }) => process.end()));
  }
}

function descriptorLimit(): number {
  const limit = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}
