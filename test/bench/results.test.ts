import { expect, test } from 'vitest';
import { misses } from '../../bench/least.js';
import type { Workload } from '../../bench/plan.js';
import { Samples } from '../../bench/results.js';

const calls: Workload = { name: 'calls', unit: 'calls/s', higherIsBetter: true };
const latency: Workload = { name: 'latency', unit: 'µs (p50)', higherIsBetter: false };

function sampled(workload: Workload, figures: Readonly<Record<string, readonly number[]>>, transport = 'unix'): Samples {
  const samples = new Samples();
  for (const [peer, values] of Object.entries(figures)) for (const value of values) samples.add(transport, workload, peer, value);
  return samples;
}

test('[bench.ratios] medians of the rounds are compared with the better raw limit and with the fastest peer', () => {
  const figures = {
    ours: [60, 90, 10],
    'raw, batched': [100, 120, 80],
    'raw, a write per frame': [40, 41, 42],
    slow: [5, 5, 5],
    fast: [30, 31, 20],
  };
  expect(sampled(calls, figures).results()).toEqual([
    expect.objectContaining({ peer: 'ours', median: 60, min: 10, max: 90, ratioToRaw: 0.6, ratioToFastestPeer: 2 }),
    expect.objectContaining({ transport: 'unix', workload: 'calls', peer: 'raw', median: 100, unit: 'calls/s', ratioToRaw: 1 }),
    expect.objectContaining({ peer: 'fast', median: 30, ratioToFastestPeer: 1 }),
    expect.objectContaining({ peer: 'slow', ratioToRaw: 0.05 }),
  ]);
  // The lower the better: the raw limit is the other one then, and so is the fastest peer.
  const [ours, raw] = sampled(latency, figures).results();
  expect(raw).toMatchObject({ peer: 'raw', median: 41 });
  expect(ours).toMatchObject({ ratioToRaw: 60 / 41, ratioToFastestPeer: 12 });
});

test('[bench.ratios] what is missing is no figure', () => {
  expect(sampled(calls, { ours: [1] }).results()).toEqual([expect.objectContaining({ peer: 'ours', ratioToRaw: null, ratioToFastestPeer: null })]);
  const samples = sampled(calls, { ours: [1], 'raw, batched': [1], failed: [1] });
  samples.drop('unix', 'failed', [calls]);
  expect(samples.results().map(({ peer }) => peer)).toEqual(['ours', 'raw']);
});

test('[bench.misses-named] a line of the table that is missed is named with what was reached', () => {
  const missed = (workload: Workload, figures: Readonly<Record<string, readonly number[]>>, transport?: string) =>
    misses(sampled(workload, figures, transport).results()).map(({ what, reached }) => `${what}: ${reached}`);
  expect(missed(calls, { ours: [59], 'raw, batched': [100], peer: [58] })).toEqual(['calls: 0.59 × raw']);
  expect(missed(calls, { ours: [61], 'raw, batched': [100], peer: [62] })).toEqual(['calls against the fastest peer: 0.98 × the fastest peer']);
  expect(missed(calls, { ours: [51], 'raw, batched': [100], peer: [50] }, 'thread')).toEqual([]);
  expect(missed(latency, { ours: [131], 'raw, batched': [100], peer: [50] })).toEqual(['latency: 1.31 × raw']);
  const memory: Workload = { name: 'idle-memory', unit: 'KiB/connection', higherIsBetter: false };
  expect(missed(memory, { ours: [20.5], 'raw, batched': [4] })).toEqual(['idle-memory: raw + 16.5 KiB']);
  const decide: Workload = { name: 'decide-10000', unit: 'µs/decision', higherIsBetter: false };
  expect(missed(decide, { ours: [1.2], raw: [0.1] }, 'policy')).toEqual(['a decision at 10000 grants: 1.20 µs']);
});
