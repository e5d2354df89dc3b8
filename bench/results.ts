import { rawPeers, type Workload } from './plan.js';

/** A line of the results. */
export interface Result {
  /** `stdio`, `unix`, `websocket`, `thread`; `policy` for decisions, which cross none. */
  readonly transport: string;
  readonly workload: string;
  /** `ours`, `raw`, or the name of a peer. */
  readonly peer: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  /** Of the medians; null where there is nothing to compare with. */
  readonly ratioToRaw: number | null;
  /** Of the medians, to the fastest that is neither ours nor raw; null where there is none. */
  readonly ratioToFastestPeer: number | null;
}

/** What was measured, by transport, workload and peer. */
export class Samples {
  readonly #samples = new Map<string, { readonly transport: string; readonly workload: Workload; readonly peers: Map<string, number[]> }>();

  add(transport: string, workload: Workload, peer: string, sample: number): void {
    const key = `${transport} ${workload.name}`;
    const entry = this.#samples.get(key) ?? { transport, workload, peers: new Map<string, number[]>() };
    this.#samples.set(key, entry);
    const samples = entry.peers.get(peer);
    if (samples === undefined) entry.peers.set(peer, [sample]);
    else samples.push(sample);
  }

  /** Leaves out what a peer that failed had given: a figure of fewer rounds is not comparable. */
  drop(transport: string, peer: string, workloads: readonly Workload[]): void {
    for (const { name } of workloads) this.#samples.get(`${transport} ${name}`)?.peers.delete(peer);
  }

  results(): readonly Result[] {
    return [...this.#samples.values()].flatMap(({ transport, workload, peers }) => compare(transport, workload, peers));
  }
}

function compare(transport: string, workload: Workload, peers: ReadonlyMap<string, readonly number[]>): Result[] {
  const { higherIsBetter } = workload;
  const better = (left: Summary, right: Summary): Summary => (left.median > right.median === higherIsBetter ? left : right);
  const summaries = [...peers].map(([peer, samples]) => summarize(peer, samples));
  const isRaw = ({ peer }: Summary): boolean => peer === 'raw' || (rawPeers as readonly string[]).includes(peer);
  const raws = summaries.filter(isRaw);
  const raw = raws.length === 0 ? undefined : { ...raws.reduce(better), peer: 'raw' };
  const others = summaries
    .filter((summary) => summary.peer !== 'ours' && !isRaw(summary))
    .sort((left, right) => (higherIsBetter ? right.median - left.median : left.median - right.median));
  const fastest = others[0];
  return [...summaries.filter(({ peer }) => peer === 'ours'), ...(raw === undefined ? [] : [raw]), ...others].map((summary) => ({
    transport,
    workload: workload.name,
    ...summary,
    unit: workload.unit,
    ratioToRaw: raw === undefined ? null : summary.median / raw.median,
    ratioToFastestPeer: fastest === undefined ? null : summary.median / fastest.median,
  }));
}

interface Summary {
  readonly peer: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

function summarize(peer: string, samples: readonly number[]): Summary {
  const sorted = [...samples].sort((left, right) => left - right);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return { peer, median: at(sorted.length >> 1), min: at(0), max: at(sorted.length - 1) };
}
