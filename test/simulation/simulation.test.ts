import { expect, test } from 'vitest';
import { simulate } from './simulate.js';

const seeds = Array.from({ length: 200 }, (_, index) => index + 1);

test('[session.simulation] over 200 seeds the invariants of the session hold', { timeout: 60_000 }, async () => {
  const failed: string[] = [];
  const outcomes = new Map<string, number>();
  const ends = new Set<string>();
  for (const seed of seeds) {
    const report = await simulate(seed);
    if (report.violations.length > 0) failed.push(`seed ${seed} (npm run simulate -- --seed ${seed}): ${report.violations[0]}`);
    for (const [code, count] of report.outcomes) outcomes.set(code, (outcomes.get(code) ?? 0) + count);
    ends.add(report.end);
  }
  expect(failed).toEqual([]);
  // A simulation in which nothing goes wrong would prove nothing.
  for (const code of [
    'OK',
    'HANDLER_ERROR',
    'CANCELLED',
    'DEADLINE_EXCEEDED',
    'WORKER_LOST',
    'HOST_LOST',
    'OVERLOADED',
    'DRAINING',
    'FRAME_TOO_LARGE',
  ]) {
    expect([code, (outcomes.get(code) ?? 0) >= 10]).toEqual([code, true]);
  }
  expect([...ends].sort()).toEqual(expect.arrayContaining(['ABORTED', 'CONNECTION_LOST', 'PEER_CLOSED', 'STOPPED']));
});

test('[session.simulation] a seed replays: same seed, same trace; another seed, another one', async () => {
  for (const seed of [3, 77, 1_000_003]) expect((await simulate(seed)).traceHash).toBe((await simulate(seed)).traceHash);
  expect((await simulate(3)).traceHash).not.toBe((await simulate(4)).traceHash);
});
