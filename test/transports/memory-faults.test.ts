import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock, Timer } from '../../src/interfaces/platform.js';
import type { CloseReason, Connection } from '../../src/interfaces/transport.js';
import { createMemoryPair, type MemoryPair } from '../../transports/memory/index.js';

/** Time that stands still until the test moves it. */
class StoppedClock implements Clock {
  #now = 0;
  #turn: (() => void)[] = [];
  readonly #timers = new Set<{ at: number; callback: () => void }>();
  now = (): number => this.#now;
  wallTime = (): number => this.#now;
  get timers(): number {
    return this.#timers.size;
  }
  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }
  endOfTurn(callback: () => void): void {
    this.#turn.push(callback);
  }
  /** Runs one turn. @returns whether there was anything to do. */
  turn(): boolean {
    const callbacks = this.#turn;
    this.#turn = [];
    for (const callback of callbacks) callback();
    return callbacks.length > 0;
  }
  advance(ms: number): void {
    const end = this.#now + ms;
    while (this.turn()) {}
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((left, right) => left.at - right.at)[0];
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#timers.delete(next);
      next.callback();
      while (this.turn()) {}
    }
    this.#now = end;
  }
}

interface Ear {
  readonly chunks: number[][];
  readonly ends: CloseReason['code'][];
  writable: number;
}

function listen(connection: Connection): Ear {
  const ear: Ear = { chunks: [], ends: [], writable: 0 };
  connection.start({
    onData: (chunk) => ear.chunks.push([...chunk]),
    onWritable: () => {
      ear.writable += 1;
    },
    onClose: ({ code }) => ear.ends.push(code),
  });
  return ear;
}

function setUp(options: { seed?: number; highWaterMark?: number } = {}): { clock: StoppedClock; pair: MemoryPair; host: Ear; worker: Ear } {
  const clock = new StoppedClock();
  const pair = createMemoryPair({ clock, ...options });
  return { clock, pair, host: listen(pair[0]), worker: listen(pair[1]) };
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const flat = (ear: Ear): number[] => ear.chunks.flat();

describe('memory pair', () => {
  it('delivers nothing before the end of the turn, then each send as one chunk', () => {
    const { clock, pair, worker } = setUp();
    pair[0].send([bytes(1), bytes(2, 3)]);
    pair[0].send([bytes(4)]);
    expect(worker.chunks).toEqual([]);
    clock.turn();
    expect(worker.chunks).toEqual([[1, 2, 3], [4]]);
  });

  it('gives the reader memory of its own', () => {
    const { clock, pair, worker } = setUp();
    const sent = bytes(1, 2, 3);
    pair[0].send([sent]);
    sent.fill(9);
    clock.turn();
    expect(worker.chunks).toEqual([[1, 2, 3]]);
  });

  it('delays every batch, one way only, and never changes the order', () => {
    const { clock, pair, host, worker } = setUp();
    pair.faults[0].delay(50);
    pair[0].send([bytes(1)]);
    pair.faults[0].delay(0);
    pair[0].send([bytes(2)]);
    pair[1].send([bytes(9)]);
    clock.advance(49);
    expect([worker.chunks, host.chunks]).toEqual([[], [[9]]]);
    clock.advance(1);
    expect(worker.chunks).toEqual([[1], [2]]);
  });

  it('splits at random places, the same for the same seed', () => {
    const sizes = (seed: number): number[] => {
      const { clock, pair, worker } = setUp({ seed });
      pair.faults[0].split(5);
      pair[0].send([Uint8Array.from({ length: 100 }, (_, index) => index)]);
      clock.advance(0);
      expect(flat(worker)).toEqual(Array.from({ length: 100 }, (_, index) => index));
      return worker.chunks.map((chunk) => chunk.length);
    };
    expect(Math.max(...sizes(1))).toBeLessThanOrEqual(5);
    expect(new Set(sizes(1)).size).toBeGreaterThan(1);
    expect(sizes(1)).toEqual(sizes(1));
    expect(sizes(1)).not.toEqual(sizes(2));
  });

  it('merges what is due together', () => {
    const { clock, pair, worker } = setUp();
    pair.faults[0].merge(true);
    for (let index = 0; index < 4; index += 1) pair[0].send([bytes(index)]);
    clock.turn();
    expect(worker.chunks).toEqual([[0, 1, 2, 3]]);
  });

  it('stalls in the middle of a batch, says false at the high-water mark, and goes on', () => {
    const { clock, pair, host, worker } = setUp({ highWaterMark: 10 });
    pair.faults[0].stall(3);
    expect(pair[0].send([bytes(1, 2, 3, 4, 5)])).toBe(true);
    clock.advance(60_000);
    expect(flat(worker)).toEqual([1, 2, 3]);
    expect(pair[0].send([new Uint8Array(8)])).toBe(false);
    expect(pair.faults[0].bufferedBytes).toBe(10);
    expect(host.writable).toBe(0);
    pair.faults[0].resume();
    clock.turn();
    expect(flat(worker)).toHaveLength(13);
    expect(host.writable).toBe(1);
  });

  it('holds the end back too while it stalls, until the close times out', () => {
    const { clock, pair, host, worker } = setUp();
    pair.faults[0].stall();
    pair[0].send([bytes(1)]);
    pair[0].close();
    clock.advance(1_999);
    expect([host.ends, worker.ends]).toEqual([[], []]);
    clock.advance(1);
    expect([host.ends, worker.ends]).toEqual([['ABORTED'], ['CONNECTION_LOST']]);
    expect(worker.chunks).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it('holds the end back when the stall begins right before it', () => {
    const { clock, pair, worker } = setUp();
    pair.faults[0].stall(1);
    pair[0].send([bytes(1)]);
    pair[0].close();
    clock.advance(1_000);
    expect([worker.chunks, worker.ends]).toEqual([[[1]], []]);
    pair.faults[0].resume();
    clock.advance(0);
    expect(worker.ends).toEqual(['PEER_CLOSED']);
  });

  it('says CONNECTION_LOST, not CLOSED, when the other end goes before it has taken everything', () => {
    const { clock, pair, host } = setUp();
    pair.faults[0].stall();
    pair[0].send([bytes(1)]);
    pair[0].close();
    pair[1].close({ abort: true });
    clock.advance(0);
    expect(host.ends).toEqual(['CONNECTION_LOST']);
  });

  it.each([
    [undefined, [1, 2, 3, 4]],
    [3, [1, 2, 3]],
    [0, []],
  ])('cuts the connection with %s of the bytes in flight delivered', (deliverBytes, arrived) => {
    const { clock, pair, host, worker } = setUp();
    pair.faults[0].stall();
    pair[0].send([bytes(1, 2)]);
    pair[0].send([bytes(3, 4)]);
    pair[1].send([bytes(9)]);
    pair.faults[0].cut(deliverBytes === undefined ? {} : { deliverBytes });
    expect(pair[0].send([bytes(5)])).toBe(true);
    clock.advance(0);
    expect(flat(worker)).toEqual(arrived);
    expect(flat(host)).toEqual([9]);
    expect([host.ends, worker.ends]).toEqual([['CONNECTION_LOST'], ['CONNECTION_LOST']]);
    expect(pair[0].send([bytes(5)])).toBe(false);
    clock.advance(10_000);
    expect(clock.timers).toBe(0);
  });

  it('half-closes in order: everything in flight, then PEER_CLOSED on both sides', () => {
    const { clock, pair, host, worker } = setUp();
    pair[1].send([bytes(7)]);
    pair.faults[1].end();
    clock.advance(0);
    expect(host.chunks).toEqual([[7]]);
    expect([host.ends, worker.ends]).toEqual([['PEER_CLOSED'], ['PEER_CLOSED']]);
    expect(clock.timers).toBe(0);
  });

  it('flips exactly one bit of one chunk, and not in the memory of the sender', () => {
    const { clock, pair, worker } = setUp();
    const sent = new Uint8Array(16);
    pair.faults[0].corruptNext();
    pair[0].send([sent]);
    pair[0].send([sent]);
    clock.advance(0);
    const bits = worker.chunks.map((chunk) => chunk.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0));
    expect(bits).toEqual([1, 0]);
    expect(sent).toEqual(new Uint8Array(16));
  });

  it('[memory.faults] drops one chunk and goes on: a hole in the stream, of which neither side is told', () => {
    const { clock, pair, host, worker } = setUp();
    pair.faults[0].dropNext();
    for (const byte of [1, 2, 3]) pair[0].send([bytes(byte)]);
    clock.advance(0);
    expect(worker.chunks).toEqual([[2], [3]]);
    expect(pair.faults[0].bufferedBytes).toBe(0);
    pair[0].close();
    clock.advance(0);
    expect([host.ends, worker.ends]).toEqual([['CLOSED'], ['PEER_CLOSED']]);
  });

  it('[memory.fence] fences a side off: nothing of it arrives any more, what was in flight included, and nobody is told', () => {
    const { clock, pair, host, worker } = setUp({ highWaterMark: 4 });
    pair.faults[0].delay(10);
    pair[0].send([bytes(1)]);
    pair.faults[0].fence();
    expect(pair[0].send([bytes(2, 3, 4, 5, 6)])).toBe(true);
    pair[1].send([bytes(9)]);
    clock.advance(60_000);
    expect([worker.chunks, host.chunks]).toEqual([[], [[9]]]);
    pair[0].close();
    clock.advance(60_000);
    expect([host.ends, worker.ends]).toEqual([['ABORTED'], []]);
    pair[1].close({ abort: true });
    clock.advance(0);
    expect(worker.ends).toEqual(['ABORTED']);
    expect(clock.timers).toBe(0);
  });

  it.each([false, true])('a fence hides the abort of its side too, but no cut (cut: %s)', (cuts) => {
    const { clock, pair, host, worker } = setUp();
    pair.faults[0].fence();
    if (cuts) pair.faults[0].cut();
    else pair[0].close({ abort: true });
    clock.advance(60_000);
    expect([host.ends, worker.ends]).toEqual(cuts ? [['CONNECTION_LOST'], ['CONNECTION_LOST']] : [['ABORTED'], []]);
    pair[1].close({ abort: true });
    clock.advance(0);
    expect(clock.timers).toBe(0);
  });

  it.each([
    [0, 'PEER_CLOSED'],
    [3, 'PEER_CLOSED'],
  ])('does not wait for its bound when the other end aborts after its orderly end was delivered (%s bytes under way back)', (size, code) => {
    const { clock, pair, host, worker } = setUp();
    pair.faults[1].delay(500);
    if (size > 0) pair[1].send([new Uint8Array(size)]);
    pair.faults[1].stall();
    pair[0].close();
    clock.advance(0);
    expect([host.ends, worker.ends]).toEqual([[], []]);
    pair[0].close({ abort: true });
    clock.advance(0);
    expect([host.ends, worker.ends]).toEqual([['ABORTED'], [code]]);
    expect(clock.timers).toBe(0);
  });

  it('says CONNECTION_LOST to a side that has closed and whose bytes the other one aborted away', () => {
    const { clock, pair, host, worker } = setUp();
    pair.faults[1].stall();
    pair[1].send([bytes(1)]);
    pair[0].close();
    pair[1].close();
    clock.advance(0);
    pair[0].close({ abort: true });
    clock.advance(0);
    expect([host.ends, worker.ends]).toEqual([['ABORTED'], ['CONNECTION_LOST']]);
  });

  it('does not starve others when two ends answer each other for ever', () => {
    const clock = new StoppedClock();
    const [left, right] = createMemoryPair({ clock });
    let rounds = 0;
    for (const end of [left, right]) {
      end.start({
        onData: (chunk) => {
          rounds += 1;
          end.send([chunk]);
        },
        onWritable() {},
        onClose() {},
      });
    }
    left.send([bytes(1)]);
    clock.turn();
    expect(rounds).toBe(1);
    clock.turn();
    expect(rounds).toBe(2);
  });

  it('[memory.faults] keeps its promise under any faults: a prefix in order, the whole or a lost connection, one end, no timer left', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('send' as const), size: fc.integer({ min: 0, max: 50 }) }),
      fc.record({ do: fc.constant('advance' as const), size: fc.integer({ min: 0, max: 30 }) }),
      fc.record({ do: fc.constantFrom('delay' as const, 'split' as const, 'stall' as const), size: fc.integer({ min: 0, max: 40 }) }),
      fc.record({
        do: fc.constantFrom(
          'merge' as const,
          'resume' as const,
          'cut' as const,
          'fence' as const,
          'close' as const,
          'abort' as const,
          'end' as const,
        ),
        size: fc.nat(9),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.integer(), (steps, seed) => {
        const { clock, pair, host, worker } = setUp({ seed, highWaterMark: 64 });
        const [fault] = pair.faults;
        let sent = 0;
        let closes = false;
        for (const { do: action, size } of steps) {
          if (action === 'send' && !closes && host.ends.length === 0) {
            pair[0].send([Uint8Array.from({ length: size }, (_, index) => (sent + index) % 256)]);
            sent += size;
          } else if (action === 'advance') clock.advance(size);
          else if (action === 'delay') fault.delay({ minMs: 0, maxMs: size });
          else if (action === 'split') fault.split(size + 1);
          else if (action === 'stall') fault.stall(size);
          else if (action === 'merge') fault.merge(size % 2 === 0);
          else if (action === 'resume') fault.resume();
          else if (action === 'cut') fault.cut({ deliverBytes: size });
          else if (action === 'fence') fault.fence();
          else if (action === 'end') fault.end();
          else if (action === 'close' || action === 'abort') {
            pair[0].close({ abort: action === 'abort' });
            closes = true;
          }
        }
        const faultless = !steps.some(({ do: action }) => ['cut', 'abort', 'end', 'fence'].includes(action));
        fault.resume();
        pair[0].close();
        clock.advance(10_000);
        // Behind a fence the end is not seen; then only a cut can end it.
        if (worker.ends.length === 0) fault.cut();
        clock.advance(0);
        const arrived = flat(worker);
        expect(arrived).toEqual(Array.from({ length: arrived.length }, (_, index) => index % 256));
        expect(arrived.length).toBeLessThanOrEqual(sent);
        expect([host.ends.length, worker.ends.length]).toEqual([1, 1]);
        if (faultless && !host.ends.includes('ABORTED')) expect([arrived.length, worker.ends]).toEqual([sent, ['PEER_CLOSED']]);
        expect(clock.timers).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
