import type { Result } from './results.js';

/** A line of the table "at least" of docs/performance.md. */
interface Line {
  readonly what: string;
  /** What was reached, in words, and whether it is enough; undefined where it was not measured. */
  judge(results: readonly Result[], transport: string): Judgement | undefined;
}

interface Judgement {
  readonly reached: string;
  readonly least: string;
  readonly enough: boolean;
}

/** A line that was missed. */
export interface Miss {
  readonly transport: string;
  readonly what: string;
  readonly reached: string;
  readonly least: string;
}

const find = (results: readonly Result[], transport: string, workload: string, peer = 'ours'): Result | undefined =>
  results.find((result) => result.transport === transport && result.workload === workload && result.peer === peer);

function ratio(workload: string, enough: (ratioToRaw: number, transport: string) => boolean, least: (transport: string) => string): Line['judge'] {
  return (results, transport) => {
    const reached = find(results, transport, workload)?.ratioToRaw;
    if (reached === undefined || reached === null) return undefined;
    return { reached: `${reached.toFixed(2)} × raw`, least: least(transport), enough: enough(reached, transport) };
  };
}

const leastCalls = (transport: string): number => (transport === 'thread' ? 0.5 : 0.6);

const lines: readonly Line[] = [
  {
    what: 'calls',
    judge: ratio(
      'calls',
      (reached, transport) => reached >= leastCalls(transport),
      (transport) => `${leastCalls(transport)} × raw`,
    ),
  },
  {
    what: 'calls against the fastest peer',
    judge(results, transport) {
      const reached = find(results, transport, 'calls')?.ratioToFastestPeer;
      if (reached === undefined || reached === null) return undefined;
      return { reached: `${reached.toFixed(2)} × the fastest peer`, least: 'more than 1', enough: reached > 1 };
    },
  },
  {
    what: 'latency',
    judge: ratio(
      'latency',
      (reached) => reached <= 1.3,
      () => '1.3 × raw',
    ),
  },
  {
    what: 'binary',
    judge: ratio(
      'binary',
      (reached) => reached >= 0.7,
      () => '0.7 × raw',
    ),
  },
  {
    what: 'stream',
    judge: ratio(
      'stream',
      (reached) => reached >= 0.8,
      () => '0.8 × raw',
    ),
  },
  {
    what: 'events',
    judge: ratio(
      'events',
      (reached) => reached >= 0.5,
      () => '0.5 × raw',
    ),
  },
  {
    what: 'idle-memory',
    judge(results, transport) {
      const [ours, raw] = ['ours', 'raw'].map((peer) => find(results, transport, 'idle-memory', peer)?.median);
      if (ours === undefined || raw === undefined) return undefined;
      return { reached: `raw + ${(ours - raw).toFixed(1)} KiB`, least: 'raw + 16 KiB', enough: ours - raw <= 16 };
    },
  },
  {
    what: 'a call at 10,000 workers',
    judge(results, transport) {
      const [few, many] = [10, 10_000].map((count) => find(results, transport, `workers-${count}`)?.median);
      if (few === undefined || many === undefined) return undefined;
      return { reached: `${(many / few).toFixed(2)} × of that at 10`, least: '1.3 × of that at 10', enough: many / few <= 1.3 };
    },
  },
  ...[10, 10_000].map(
    (grants): Line => ({
      what: `a decision at ${grants} grants`,
      judge(results, transport) {
        const median = find(results, transport, `decide-${grants}`)?.median;
        return median === undefined ? undefined : { reached: `${median.toFixed(2)} µs`, least: '1 µs', enough: median <= 1 };
      },
    }),
  ),
];

/** The lines of the table that were measured and missed. */
export function misses(results: readonly Result[]): readonly Miss[] {
  return [...new Set(results.map(({ transport }) => transport))].flatMap((transport) =>
    lines.flatMap(({ what, judge }) => {
      const judgement = judge(results, transport);
      return judgement === undefined || judgement.enough ? [] : [{ transport, what, reached: judgement.reached, least: judgement.least }];
    }),
  );
}
