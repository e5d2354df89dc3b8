import type { MeasuredProcess, MeasuredProcesses } from './measured-process.js';
import { type Pace, pairWorkloads, peersOf, type Transport, type Workload } from './plan.js';
import type { Samples } from './results.js';

const startLimitMs = 15_000;

interface Caller {
  readonly peer: string;
  readonly process: MeasuredProcess;
  readonly can: Set<string>;
}

/**
 * Measures the peers of a transport in interleaved rounds: each round takes each workload, and each workload all peers, one after the other, so that what
 * the machine does beside touches all alike. Callers that wait their turn are idle.
 */
export async function runPairs(
  processes: MeasuredProcesses,
  transport: Transport,
  workloads: readonly Workload[],
  { rounds, durationMs: measuredMs, warmUpMs, callsWarmUpMs, startRounds }: Pace,
  samples: Samples,
  report: (problem: string) => void,
): Promise<void> {
  const callers: Caller[] = [];
  const failed = new Set<string>();
  const fail = (peer: string, error: unknown): void => {
    failed.add(peer);
    samples.drop(transport, peer, workloads);
    report(`${peer} over ${transport} was left out: ${error instanceof Error ? error.message : String(error)}`);
  };
  try {
    const waiting = peersOf[transport].map((peer) => {
      const caller: Caller = { peer, process: processes.start('caller.mjs'), can: new Set() };
      callers.push(caller);
      return caller;
    });
    const openNext = async (): Promise<void> => {
      for (let caller = waiting.shift(); caller !== undefined; caller = waiting.shift()) {
        const { peer, process, can } = caller;
        try {
          for (const workload of (await process.order('open', { transport, peer }, startLimitMs)) as readonly string[]) can.add(workload);
        } catch (error) {
          fail(peer, error);
        }
      }
    };
    await Promise.all([openNext(), openNext()]);
    // Round 0 warms up, and counts for nothing.
    for (let round = 0; round <= rounds; round++) {
      for (const workload of workloads) {
        if (workload.name === 'start' && (round === 0 || round > startRounds)) continue;
        const warmsUpMs = workload.name === 'calls' ? callsWarmUpMs : warmUpMs;
        const durationMs = round === 0 ? warmsUpMs : measuredMs;
        // Each round begins with another one: nobody always comes after the same neighbour.
        const turn = round % callers.length;
        for (const { peer, process, can } of [...callers.slice(turn), ...callers.slice(0, turn)]) {
          if (failed.has(peer) || !can.has(workload.name)) continue;
          try {
            const sample = await process.order('measure', { workload: workload.name, durationMs }, startLimitMs + 4 * durationMs);
            if (!(typeof sample === 'number' && sample > 0 && Number.isFinite(sample))) throw new Error(`${workload.name} gave ${String(sample)}.`);
            if (round > 0) samples.add(transport, workload, peer, sample);
          } catch (error) {
            fail(peer, error);
          }
        }
      }
    }
  } finally {
    await Promise.all(callers.map(({ process }) => process.end()));
  }
}

/** The workloads that were asked for by name; all where none was. */
export function pairWorkloadsOf(only: readonly string[]): readonly Workload[] {
  return only.length === 0 ? pairWorkloads : pairWorkloads.filter(({ name }) => only.includes(name));
}
