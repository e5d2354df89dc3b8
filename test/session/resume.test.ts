import { describe, expect, test } from 'vitest';
import { defaultFrameLimits } from '../../src/frames/limits.js';
import { acceptHandshake, performHandshake } from '../../src/session/handshake.js';
import { SimulatedClock } from '../../src/testing/simulated-clock.js';
import { createMemoryPair, type MemoryPair } from '../../transports/memory/memory-pair.js';
import { seededFraction } from '../../transports/memory/seeded-fraction.js';
import { admitted, createSide, gate, hello, rejection, type Side } from './session-pair.js';

interface Resumable {
  readonly clock: SimulatedClock;
  readonly host: Side;
  readonly peer: Side;
  /** The present pair of connections; [0] is the host's. */
  pair: MemoryPair;
  /** Breaks the present connection for both sides; of the bytes under way in one direction the first still arrive. */
  cut(direction?: 0 | 1, deliverBytes?: number): Promise<void>;
  /** A new connection takes the place of the old one on both sides. */
  resume(): Promise<void>;
}

async function connectResumable({ windowMs = 10_000, maxBytes = 1024 * 1024, seed = 1 } = {}): Promise<Resumable> {
  const clock = new SimulatedClock();
  const createPair = (): MemoryPair => createMemoryPair({ clock, seed, highWaterMark: 65_536 });
  const pair = createPair();
  const host = createSide('host', pair, clock, {});
  const peer = createSide('peer', pair, clock, {});
  await Promise.all([
    acceptHandshake({
      connection: host.side.connection,
      clock,
      features: ['resume'],
      admit: () => ({ ...admitted, limits: { ...admitted.limits, ...defaultFrameLimits }, resume: { token: 't', windowMs, maxBytes } }),
      establish: host.establish,
    }),
    performHandshake({ connection: peer.side.connection, clock, hello: { ...hello, features: ['resume'] }, establish: peer.establish }),
  ]);
  await clock.settle();
  const resumable: Resumable = {
    clock,
    host: host.side,
    peer: peer.side,
    pair,
    async cut(direction = 0, deliverBytes = 0) {
      resumable.pair.faults[direction].cut({ deliverBytes });
      await clock.settle();
    },
    async resume() {
      const next = createPair();
      resumable.pair = next;
      const [hostCount, peerCount] = [host.side.session.received, peer.side.session.received];
      host.side.session.resume(next[0], peerCount);
      peer.side.session.resume(next[1], hostCount);
      await clock.settle();
    },
  };
  return resumable;
}

describe('a session that is resumed', () => {
  test('[session.resume] settles calls that were in flight, each once, with the answer of the one run', async () => {
    const resumable = await connectResumable();
    const { host, peer, clock } = resumable;
    const ran: unknown[] = [];
    const held = gate<string>();
    peer.methods.hold = (call) => {
      ran.push(call.params);
      return held.promise;
    };
    const call = host.session.call('hold', { n: 1 });
    await clock.settle();
    await resumable.cut();
    expect(host.session.suspended).toBe(true);
    expect(peer.session.suspended).toBe(true);
    held.open('done');
    await clock.settle();
    await resumable.resume();
    await expect(call).resolves.toBe('done');
    expect(ran).toEqual([{ n: 1 }]);
    expect(host.ends).toEqual([]);
  });

  test('[session.resume] sends again what was under way, and nothing that had arrived', async () => {
    const resumable = await connectResumable();
    const { host, peer, clock } = resumable;
    const seen: unknown[] = [];
    peer.methods.note = (call) => {
      seen.push(call.params);
      return call.params;
    };
    const calls = Array.from({ length: 50 }, (_, n) => host.session.call('note', n));
    await Promise.resolve();
    await resumable.cut(0, 311);
    expect(seen.length).toBeLessThan(50);
    await resumable.resume();
    await expect(Promise.all(calls)).resolves.toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(seen).toEqual(Array.from({ length: 50 }, (_, n) => n));
    await clock.settle();
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('[session.resume] a thousand calls and a stream survive cuts at random places (seed %i)', async (seed) => {
    const resumable = await connectResumable({ seed, maxBytes: 64 * 1024 });
    const { host, peer, clock } = resumable;
    const fraction = seededFraction(seed);
    const runs = new Map<number, number>();
    peer.methods.echo = async (call) => {
      const n = (call.params as { n: number }).n;
      runs.set(n, (runs.get(n) ?? 0) + 1);
      if (n % 3 === 0) await Promise.resolve();
      return { n, text: 'x'.repeat(n % 200) };
    };
    peer.methods.count = async (call) => {
      for (let n = 0; n < 400; n += 1) await call.sendItem({ n, text: 'y'.repeat(500) });
      return 'counted';
    };
    const stream = host.session.stream('count', {}, { timeoutMs: 0, idleTimeoutMs: 0 });
    const items: number[] = [];
    const reading = (async () => {
      for await (const item of stream) items.push((item as { n: number }).n);
      return stream.result;
    })();
    let settled = 0;
    const calls: Promise<unknown>[] = [];
    for (let n = 0; n < 1_000; n += 1) {
      calls.push(
        host.session
          .call('echo', { n })
          .then((result) => expect((result as { n: number }).n).toBe(n))
          .finally(() => (settled += 1)),
      );
      if (n % 50 === 49) {
        if (fraction() < 0.5) await clock.settle();
        const direction = fraction() < 0.5 ? 0 : 1;
        await resumable.cut(direction, Math.floor(fraction() * 3_000));
        await clock.advance(Math.floor(fraction() * 200));
        await resumable.resume();
        while (calls.length - settled > 150) await clock.advance(10);
      }
    }
    await Promise.all(calls);
    await expect(reading).resolves.toBe('counted');
    expect(items).toEqual(Array.from({ length: 400 }, (_, n) => n));
    expect([...runs.values()].every((count) => count === 1)).toBe(true);
    expect(runs.size).toBe(1_000);
    expect([...host.violations, ...peer.violations]).toEqual([]);
  });

  test('[session.resume] a window that passes ends it, and every call is told whether it may have run', async () => {
    const resumable = await connectResumable({ windowMs: 5_000 });
    const { host, peer, clock } = resumable;
    peer.methods.hold = () => new Promise(() => {});
    const sent = rejection(host.session.call('hold', {}));
    await clock.settle();
    await resumable.cut();
    const waiting = rejection(host.session.call('hold', {}));
    await clock.advance(4_999);
    expect(host.session.end).toBeUndefined();
    await clock.advance(1);
    expect(await sent).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
    expect(await waiting).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: false });
    expect(host.ends).toMatchObject([{ code: 'CONNECTION_LOST' }]);
    expect(host.session.canResume(0)).toBe(false);
    await host.session.closed;
    await peer.session.closed;
  });

  test('[session.resume] deadlines and cancels run on while there is no connection', async () => {
    const resumable = await connectResumable();
    const { host, peer, clock } = resumable;
    const held = gate();
    peer.methods.hold = () => held.promise;
    const controller = new AbortController();
    const timed = rejection(host.session.call('hold', {}, { timeoutMs: 1_000 }));
    const cancelled = rejection(host.session.call('hold', {}, { signal: controller.signal }));
    await clock.settle();
    await resumable.cut();
    controller.abort();
    expect(await cancelled).toMatchObject({ code: 'CANCELLED', mayHaveRun: true });
    await clock.advance(1_000);
    expect(await timed).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(peer.received[0]?.cancelled).toBe(true);
    await resumable.resume();
    expect(peer.received[1]?.cancelled).toBe(true);
    expect([...host.violations, ...peer.violations]).toEqual([]);
    held.open();
    await clock.settle();
  });

  test('[session.resume] what is kept is bounded: without receipts bulk data waits, and nothing is lost', async () => {
    const resumable = await connectResumable({ maxBytes: 20_000 });
    const { host, peer, clock, pair } = resumable;
    peer.methods.take = async (call) => {
      let bytes = 0;
      for await (const item of call.items) bytes += (item as string).length;
      return bytes;
    };
    // The receipts of the peer do not arrive.
    pair.faults[1].stall();
    const input = (async function* () {
      for (let n = 0; n < 100; n += 1) yield 'z'.repeat(1_000);
    })();
    const call = host.session.call('take', {}, { input });
    await clock.advance(1_000);
    expect(host.connection.outbox.blocked).toBe(true);
    expect(host.session.received).toBeLessThan(5);
    await resumable.cut();
    await resumable.resume();
    // A hundred kilobytes go in steps of twenty, each confirmed after 100 ms at the latest.
    await clock.advance(1_000);
    await expect(call).resolves.toBe(100_000);
  });

  test('[session.slow-reader] a peer that reads and never confirms is ended too', async () => {
    const { host, peer, clock, pair } = await connectResumable({ maxBytes: 20_000 });
    peer.methods.take = async (call) => {
      for await (const _item of call.items);
    };
    pair.faults[1].stall();
    const input = (async function* () {
      for (let n = 0; n < 100; n += 1) yield 'z'.repeat(1_000);
    })();
    const call = rejection(host.session.call('take', {}, { input, timeoutMs: 0 }));
    await clock.advance(29_000);
    expect(host.ends).toEqual([]);
    await clock.advance(2_000);
    expect(host.ends).toMatchObject([{ code: 'SLOW_READER' }]);
    expect(await call).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
  });

  test.each([0, 1] as const)(
    '[session.resume] receipts that were held up with the connection are not sent over the next (direction %i)',
    async (direction) => {
      const resumable = await connectResumable();
      const { host, peer, clock } = resumable;
      const [caller, callee] = direction === 0 ? [host, peer] : [peer, host];
      callee.methods.echo = (call) => call.params;
      // The way back is held up, so that receipts and answers queue there.
      resumable.pair.faults[direction === 0 ? 1 : 0].stall();
      const calls: Promise<unknown>[] = [];
      for (let n = 0; n < 200; n += 1) {
        calls.push(caller.session.call('echo', { n, text: 'x'.repeat(1_000) }));
        if (calls.length % 60 === 0) await clock.advance(150);
      }
      await clock.advance(500);
      await resumable.cut();
      await resumable.resume();
      calls.push(caller.session.call('echo', { n: 200, text: 'x'.repeat(1_000) }));
      await clock.advance(1_000);
      const settled = await Promise.allSettled(calls);
      expect(settled.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(60);
      expect(settled.every((outcome) => outcome.status === 'fulfilled' || (outcome.reason as { code: string }).code === 'OVERLOADED')).toBe(true);
      expect([...host.ends, ...peer.ends]).toEqual([]);
    },
  );

  test('[session.slow-reader] who never reads is ended, however often it connects again meanwhile', async () => {
    const resumable = await connectResumable();
    const { host, clock } = resumable;
    const lost = rejection(host.session.call('x', 'y'.repeat(200_000), { timeoutMs: 0 }));
    for (let round = 0; round < 10 && host.ends.length === 0; round += 1) {
      resumable.pair.faults[0].stall();
      await clock.advance(9_000);
      if (host.ends.length > 0) break;
      await resumable.cut();
      const next = createMemoryPair({ clock, highWaterMark: 65_536 });
      next.faults[0].stall();
      resumable.pair = next;
      host.session.resume(next[0], 0);
    }
    expect(host.ends).toMatchObject([{ code: 'SLOW_READER' }]);
    await lost;
    resumable.peer.session.abort('over');
  });

  test('[session.resume] a resume takes the place of a connection that is still open, which is fenced off [session.generation-fencing]', async () => {
    const resumable = await connectResumable();
    const { host, peer, clock } = resumable;
    peer.methods.echo = (call) => call.params;
    const [oldHost, oldPeer] = resumable.pair;
    await resumable.resume();
    oldPeer.send([new Uint8Array([0, 0, 0, 1, 0xc1])]);
    oldHost.send([new Uint8Array([0, 0, 0, 1, 0xc1])]);
    await clock.advance(5_000);
    await expect(host.session.call('echo', 1)).resolves.toBe(1);
    expect(host.ends).toEqual([]);
    expect(peer.ends).toEqual([]);
  });

  test('[session.resume] a count that is impossible is refused', async () => {
    const resumable = await connectResumable();
    expect(resumable.host.session.canResume(1)).toBe(false);
    expect(() => resumable.host.session.resume(resumable.pair[0], 7)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
  });

  test('[session.resume] a side that takes no other connection any more does not wait for one', async () => {
    const waiting = await connectResumable();
    await waiting.cut();
    waiting.host.session.forgoResume();
    expect(waiting.host.ends).toMatchObject([{ code: 'CONNECTION_LOST' }]);
    await waiting.host.session.closed;

    const connected = await connectResumable();
    connected.peer.methods.hold = () => new Promise(() => {});
    const lost = rejection(connected.host.session.call('hold', {}));
    await connected.clock.settle();
    connected.host.session.forgoResume();
    await connected.cut();
    expect(await lost).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
    connected.peer.session.abort('Enough.');
    waiting.peer.session.abort('Enough.');
  });

  test('[session.resume] an orderly goodbye is not waited for', async () => {
    const resumable = await connectResumable();
    resumable.peer.session.close('DRAINED', 'Going home.');
    await resumable.clock.settle();
    expect(resumable.host.ends).toMatchObject([{ code: 'DRAINED', goodbye: true }]);
    expect(resumable.host.session.suspended).toBe(false);
  });

  test('[session.resume] it can be closed while there is no connection', async () => {
    const resumable = await connectResumable();
    await resumable.cut();
    resumable.host.session.close('STOPPED', 'Enough.');
    expect(resumable.host.ends).toMatchObject([{ code: 'STOPPED' }]);
    await resumable.host.session.closed;
    resumable.peer.session.abort('Enough.');
    await resumable.peer.session.closed;
  });
});
