import { describe, expect, test } from 'vitest';
import { MeasuredProcesses } from '../../bench/measured-process.js';
import { runProgram } from '../demo/run-program.js';

const bench = ['--import', 'tsx', 'bench/main.ts'];

describe('the benchmark command', () => {
  test('[bench.json] prints its results as JSON, in the documented shape', { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await runProgram([...bench, '--quick', '--only', 'decide', '--json']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { machine, rounds, results } = JSON.parse(stdout) as { machine: object; rounds: number; results: Record<string, unknown>[] };
    expect(machine).toEqual({ cpu: expect.any(String), cores: expect.any(Number), node: process.version, platform: expect.any(String) });
    expect(rounds).toBeGreaterThanOrEqual(1);
    expect(results.map(({ transport, workload, peer }) => [transport, workload, peer])).toEqual([
      ['policy', 'decide-10', 'ours'],
      ['policy', 'decide-10', 'raw'],
      ['policy', 'decide-10000', 'ours'],
      ['policy', 'decide-10000', 'raw'],
    ]);
    for (const result of results) {
      expect(Object.keys(result)).toEqual(['transport', 'workload', 'peer', 'median', 'min', 'max', 'unit', 'ratioToRaw', 'ratioToFastestPeer']);
      const [min, median, max] = [result.min, result.median, result.max] as [number, number, number];
      expect(min).toBeGreaterThan(0);
      expect(median).toBeGreaterThanOrEqual(min);
      expect(max).toBeGreaterThanOrEqual(median);
      expect(result.ratioToRaw).toBeGreaterThan(0);
      expect(result.ratioToFastestPeer).toBeNull();
    }
  });

  test('[bench.unknown-name] refuses a name that it does not know, and says which there are', { timeout: 30_000 }, async () => {
    const { code, stdout, stderr } = await runProgram([...bench, '--only', 'stdoi']);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/"stdoi".*stdio, unix, websocket, thread, calls.*decide/);
  });

  test('[bench.reaped] what gives no answer in time is ended, and an order that fails is no figure', { timeout: 30_000 }, async () => {
    const processes = new MeasuredProcesses();
    try {
      const decider = processes.start('decide.mjs');
      await expect(decider.order('open', { peer: 'nobody', grants: 10 }, 20_000)).rejects.toThrow(/is not a function/);
      await decider.order('open', { peer: 'raw', grants: 10 }, 20_000);
      expect(await decider.order('measure', { peer: 'raw', grants: 10, durationMs: 5 }, 20_000)).toBeGreaterThan(0);
      await expect(decider.order('measure', { peer: 'raw', grants: 10, durationMs: 60_000 }, 100)).rejects.toThrow(
        'no answer to "measure" within 100 ms',
      );
      await decider.end();
      await expect(decider.order('measure', { peer: 'raw', grants: 10, durationMs: 5 }, 20_000)).rejects.toThrow('It has ended.');
    } finally {
      processes.end();
    }
  });
});
