import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodePlatform } from '../../src/node/node-platform.js';
import { programs } from './launch-fixture.js';

const { clock, random, crypto } = nodePlatform();

describe('the clock of Node', () => {
  it('calls at the end of the turn, in order, after promise callbacks', async () => {
    const order: string[] = [];
    const done = new Promise<void>((resolve) => {
      clock.endOfTurn(() => order.push('first'));
      clock.endOfTurn(() => {
        order.push('second');
        clock.endOfTurn(() => {
          order.push('next turn');
          resolve();
        });
        void Promise.resolve().then(() => order.push('promise of the second'));
      });
      void Promise.resolve()
        .then(() => order.push('promise'))
        .then(() => order.push('promise of the promise'));
      process.nextTick(() => order.push('tick'));
    });
    expect(order).toEqual([]);
    await done;
    expect(order.slice(-4)).toEqual(['first', 'second', 'promise of the second', 'next turn']);
  });

  it('never fires early', async () => {
    for (const delayMs of [0, 0.4, 1, 1.5, 3.7, 9.99]) {
      const before = clock.now();
      await new Promise<void>((resolve) => void clock.setTimer(delayMs, resolve));
      expect(clock.now() - before).toBeGreaterThanOrEqual(delayMs);
    }
  });

  it('fires once, and never after it was cancelled', async () => {
    let fired = 0;
    const kept = clock.setTimer(1, () => (fired += 1));
    const cancelled = clock.setTimer(1, () => (fired += 100));
    cancelled.cancel();
    cancelled.cancel();
    await new Promise((resolve) => setTimeout(resolve, 20));
    kept.cancel();
    expect(fired).toBe(1);
  });

  it('waits for delays that setTimeout cannot take', async () => {
    let fired = false;
    const timers = [3_000_000_000, Number.POSITIVE_INFINITY].map((delayMs) => clock.setTimer(delayMs, () => (fired = true)));
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const timer of timers) timer.cancel();
    expect(fired).toBe(false);
  });

  it('fires at once for a delay that is not a number or negative', async () => {
    await new Promise<void>((resolve) => void clock.setTimer(Number.NaN, resolve));
    await new Promise<void>((resolve) => void clock.setTimer(-5, resolve));
  });

  it('tells the time of the wall', () => {
    expect(Math.abs(clock.wallTime() - Date.now())).toBeLessThan(1_000);
  });

  it('keeps no process alive by a timer, goes on after a callback that throws', () => {
    const { stdout, status } = spawnSync(process.execPath, ['--import', 'tsx', join(programs, 'only-a-timer.ts')], {
      encoding: 'utf8',
      timeout: 10_000,
      env: { ...process.env, TSX_DISABLE_CACHE: '1' },
    });
    expect(stdout).toBe('thrown\nstill called\n');
    expect(status).toBe(0);
  });
});

describe('the randomness of Node', () => {
  it('gives bytes of any length that differ and share no memory with those to come', () => {
    const seen = new Set<string>();
    for (let index = 0; index < 2_000; index += 1) {
      const bytes = random.bytes(16);
      expect(bytes.length).toBe(16);
      expect(bytes.buffer.byteLength).toBe(16);
      seen.add(Buffer.from(bytes).toString('hex'));
    }
    expect(seen.size).toBe(2_000);
    expect(seen.has('0'.repeat(32))).toBe(false);
    expect(random.bytes(0).length).toBe(0);
    expect(random.bytes(10_000).length).toBe(10_000);
  });

  it('gives fractions from 0 up to, not including, 1', () => {
    for (let index = 0; index < 100; index += 1) {
      const fraction = random.fraction();
      expect(fraction >= 0 && fraction < 1).toBe(true);
    }
  });
});

it('hashes with SHA-256', () => {
  expect(Buffer.from(crypto.sha256(Buffer.from('abc'))).toString('hex')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
