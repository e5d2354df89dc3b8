import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../src/testing/simulated-clock.js';

describe('SimulatedClock', () => {
  test('[testing.clock] advance runs timers in the order of their times and settles between them', async () => {
    const clock = new SimulatedClock();
    const seen: string[] = [];
    const note = (what: string) => () => {
      seen.push(`${what}@${clock.now()}`);
      void Promise.resolve()
        .then(() => undefined)
        .then(() => seen.push(`microtask of ${what}`));
      clock.endOfTurn(() => {
        seen.push(`end of turn of ${what}`);
        clock.endOfTurn(() => seen.push(`later turn of ${what}`));
      });
    };
    clock.setTimer(20, note('b'));
    clock.setTimer(10, note('a'));
    clock.setTimer(20, note('c'));
    clock.setTimer(21, note('d'));
    await clock.advance(20);
    const all = (what: string, at: number) => [`${what}@${at}`, `microtask of ${what}`, `end of turn of ${what}`, `later turn of ${what}`];
    expect(seen).toEqual([...all('a', 10), ...all('b', 20), ...all('c', 20)]);
    expect(clock.now()).toBe(20);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1);
    expect(seen.slice(12)).toEqual(all('d', 21));
    expect(clock.pendingTimers).toBe(0);
  });

  test('[testing.clock] a chain of timers and promises is followed to its end within one advance', async () => {
    const clock = new SimulatedClock();
    const delay = (ms: number) => new Promise<void>((resolve) => clock.setTimer(ms, resolve));
    let steps = 0;
    const work = (async () => {
      for (; steps < 10; steps += 1) await delay(5);
    })();
    await clock.advance(49);
    expect(steps).toBe(9);
    await clock.advance(1);
    expect(steps).toBe(10);
    await work;
  });

  test('ends of turns need no advance', async () => {
    const clock = new SimulatedClock();
    await new Promise<void>((resolve) => clock.endOfTurn(() => clock.endOfTurn(resolve)));
    expect(clock.now()).toBe(0);
  });

  test('a cancelled timer never fires and is not pending', async () => {
    const clock = new SimulatedClock();
    let fired = 0;
    const timers = [5, 5, 5].map((ms) => clock.setTimer(ms, () => (fired += 1)));
    timers[1]?.cancel();
    timers[1]?.cancel();
    expect(clock.pendingTimers).toBe(2);
    await clock.advance(5);
    timers[0]?.cancel();
    expect([fired, clock.pendingTimers]).toEqual([2, 0]);
  });

  test('what a timer throws rejects the advance, and the clock goes on', async () => {
    const clock = new SimulatedClock();
    clock.setTimer(1, () => {
      throw new Error('boom');
    });
    let later = false;
    clock.setTimer(2, () => (later = true));
    await expect(clock.advance(5)).rejects.toThrow('boom');
    await clock.advance(5);
    expect(later).toBe(true);
  });

  test('runUntilIdle ends when no timer is set, and says so when that never happens', async () => {
    const clock = new SimulatedClock();
    let left = 3;
    const again = (): void => {
      left -= 1;
      if (left > 0) clock.setTimer(1_000, again);
    };
    clock.setTimer(1_000, again);
    await clock.runUntilIdle();
    expect(clock.now()).toBe(3_000);
    const heartbeat = (): void => void clock.setTimer(1_000, heartbeat);
    heartbeat();
    await expect(clock.runUntilIdle({ limitMs: 10_000 })).rejects.toMatchObject({ code: 'INVALID_STATE' });
    expect(clock.now()).toBe(13_000);
  });

  test('runUntil passes as much time as the work needs, and refuses to wait for what will not come', async () => {
    const clock = new SimulatedClock();
    expect(await clock.runUntil(new Promise((resolve) => clock.setTimer(70, () => resolve('done'))))).toBe('done');
    expect(clock.now()).toBe(70);
    await expect(clock.runUntil(Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    await expect(clock.runUntil(new Promise(() => {}))).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  test('wall time begins where it was told to', async () => {
    const clock = new SimulatedClock({ startWallTimeMs: 1_000 });
    await clock.advance(5);
    expect(clock.wallTime()).toBe(1_005);
    expect(new Date(new SimulatedClock().wallTime()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
  });

  test('time does not pass by nonsense', async () => {
    await expect(new SimulatedClock().advance(Number.NaN)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
