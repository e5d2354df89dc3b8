import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../src/testing/simulated-clock.js';
import { Liveness } from '../../src/worker/liveness.js';

function watch({ heartbeatMs = 1_000, clock = new SimulatedClock() } = {}) {
  const pings: number[] = [];
  const deaths: number[] = [];
  const state = { lastReceivedAt: 0, answers: (_pingedAt: number): void => {} };
  const liveness = new Liveness({
    clock,
    heartbeatMs,
    lastReceivedAt: () => state.lastReceivedAt,
    ping: () => {
      pings.push(clock.now());
      state.answers(clock.now());
    },
    onDead: (silentMs) => deaths.push(silentMs),
  });
  return { clock, pings, deaths, state, liveness };
}

describe('[lifecycle.missed-heartbeat]', () => {
  test('three pings without a byte are too many; after that nothing is set', async () => {
    const { clock, pings, deaths } = watch();
    await clock.advance(3_999);
    expect(deaths).toEqual([]);
    await clock.advance(1);
    expect(pings).toEqual([1_000, 2_000, 3_000]);
    expect(deaths).toEqual([4_000]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('a worker that answers at once lives for ever, though it says nothing by itself', async () => {
    const { clock, pings, deaths, state, liveness } = watch();
    state.answers = (now) => {
      state.lastReceivedAt = now;
    };
    await clock.advance(100_000);
    expect(deaths).toEqual([]);
    expect(pings.length).toBeGreaterThan(40);
    liveness.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  test.each([1, 999, 1_500, 2_900])('one that answers after %i ms lives', async (delayMs) => {
    const { clock, deaths, state, liveness } = watch();
    state.answers = () =>
      void clock.setTimer(delayMs, () => {
        state.lastReceivedAt = clock.now();
      });
    await clock.advance(60_000);
    expect(deaths).toEqual([]);
    liveness.stop();
    await clock.runUntilIdle();
  });

  test('one that is heard of anyhow is not pinged', async () => {
    const { clock, pings, state, liveness } = watch();
    for (let second = 0; second < 20; second += 1) {
      state.lastReceivedAt = clock.now();
      await clock.advance(900);
    }
    expect(pings).toEqual([]);
    liveness.stop();
  });

  test('any byte counts, not only a pong, and the count begins anew', async () => {
    const { clock, deaths, state, liveness } = watch();
    await clock.advance(3_900);
    state.lastReceivedAt = clock.now();
    await clock.advance(3_900);
    expect(deaths).toEqual([]);
    state.lastReceivedAt = clock.now();
    liveness.stop();
  });

  test('a host that was blocked itself blames nobody', async () => {
    const late = new SimulatedClock();
    // Every timer fires two intervals too late.
    const clock = Object.assign(Object.create(late) as SimulatedClock, {
      now: () => late.now(),
      setTimer: (delayMs: number, callback: () => void) => late.setTimer(delayMs + 2_000, callback),
    });
    const { deaths, pings, liveness } = watch({ clock });
    await late.advance(100_000);
    expect(deaths).toEqual([]);
    expect(pings.length).toBeGreaterThan(10);
    liveness.stop();
  });

  test('a host that was blocked once goes on counting afterwards', async () => {
    const inner = new SimulatedClock();
    let extraMs = 0;
    const clock = Object.assign(Object.create(inner) as SimulatedClock, {
      now: () => inner.now(),
      setTimer: (delayMs: number, callback: () => void) => inner.setTimer(delayMs + extraMs, callback),
    });
    const { deaths } = watch({ clock });
    await inner.advance(1_500);
    extraMs = 60_000;
    await inner.advance(1_000);
    extraMs = 0;
    await inner.advance(61_000);
    expect(deaths).toEqual([]);
    await inner.advance(4_000);
    expect(deaths).toHaveLength(1);
  });
});
