import type { RunningPeer } from './peers/peer.js';

/** About 100 bytes of MessagePack: what a small call carries. */
export const payload = {
  id: 'a3f1c2d4-0000-4000-8000-1234567890ab',
  user: 'someone@example.com',
  tags: ['one', 'two'],
  count: 42,
  ratio: 0.25,
  active: true,
};

/** Calls per second with 64 in flight. */
export async function callsPerSecond(peer: RunningPeer, durationMs: number): Promise<number> {
  const lane = async (until: number): Promise<number> => {
    let calls = 0;
    while (performance.now() < until) {
      await peer.echo(payload);
      calls += 1;
    }
    return calls;
  };
  const run = async (ms: number): Promise<number> => {
    const begin = performance.now();
    const lanes = await Promise.all(Array.from({ length: 64 }, () => lane(begin + ms)));
    return (lanes.reduce((sum, calls) => sum + calls, 0) * 1_000) / (performance.now() - begin);
  };
  await run(durationMs / 3);
  return run(durationMs);
}

/** Median microseconds of a call with one in flight. */
export async function latencyMicroseconds(peer: RunningPeer, durationMs: number): Promise<number> {
  const samples: number[] = [];
  const until = performance.now() + durationMs;
  while (performance.now() < until) {
    const begin = performance.now();
    await peer.echo(payload);
    samples.push((performance.now() - begin) * 1_000);
  }
  return samples.sort((left, right) => left - right)[samples.length >> 1] ?? Number.NaN;
}
