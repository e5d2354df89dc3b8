import { describe, expect, test } from 'vitest';
import { connectRaw } from './connect-raw.js';
import { connectSessions, gate, rejection } from './session-pair.js';

describe('[session.control-overtakes] while the connection is held up', () => {
  test('cancel, credit, progress, ping and drain overtake bulk data', async () => {
    const { clock, pair, raw, side } = await connectRaw('host', { highWaterMark: 1_000 });
    side.methods.work = () => gate().promise;
    raw.send({ kind: 'request', id: 1, method: 'work' });
    const controller = new AbortController();
    const early = rejection(side.session.call('early', {}, { signal: controller.signal }));
    await clock.settle();
    raw.messages.length = 0;
    pair.faults[0].stall();
    const filler = rejection(side.session.call('filler', 'x'.repeat(2_000)));
    await clock.settle();
    const bulk = [1, 2, 3].map((n) => rejection(side.session.call('bulk', n)));
    controller.abort();
    void side.session.ping();
    side.received[0]?.progress(0.5);
    side.session.drain(1_000, 'over');
    await clock.settle();
    pair.faults[0].resume();
    await clock.settle();
    expect(raw.messages.map((message) => message.kind)).toEqual(['request', 'cancel', 'ping', 'progress', 'drain', 'request', 'request', 'request']);
    side.session.abort('over');
    await Promise.all([early, filler, ...bulk]);
  });

  test('only the latest progress of a call is kept, and it may be sent ten thousand times', async () => {
    const { clock, pair, host, peer } = await connectSessions({ highWaterMark: 1_000, maxQueuedBytes: 100_000 });
    const end = gate();
    peer.methods.work = async (call) => {
      await end.promise;
      for (let i = 1; i <= 10_000; i += 1) call.progress(i / 10_000, `step ${i}`);
      setImmediate(() => call.respond('done'));
      return new Promise(() => {});
    };
    const seen: (string | undefined)[] = [];
    const call = host.session.call('work', {}, { onProgress: ({ message }) => seen.push(message) });
    await clock.settle();
    pair.faults[1].stall();
    peer.session.notify('log', 'x'.repeat(2_000));
    await clock.settle();
    end.open();
    await clock.settle();
    // Of a call that has ended, nothing is told any more.
    pair.faults[1].resume();
    expect(await call).toBe('done');
    expect(seen).toEqual([]);

    peer.methods.go = async (incoming) => {
      peer.session.notify('log', 'x'.repeat(2_000));
      await clock.settle();
      for (let i = 1; i <= 10_000; i += 1) incoming.progress(i / 10_000, `step ${i}`);
      await new Promise<void>((resolve) => clock.setTimer(10, resolve));
      return 'done';
    };
    pair.faults[1].stall();
    const second = host.session.call('go', {}, { onProgress: ({ message }) => seen.push(message) });
    await clock.settle();
    pair.faults[1].resume();
    await clock.advance(10);
    expect(await second).toBe('done');
    expect(seen).toEqual(['step 10000']);
  });
});

describe('[session.bounded-queues] a peer that does not read', () => {
  test('gets no new calls once much waits for it, and the caller is told to come back', async () => {
    const { clock, pair, host } = await connectSessions({ highWaterMark: 1_000, maxQueuedBytes: 10_000 });
    pair.faults[0].stall();
    const calls: Promise<{ code: string }>[] = [];
    for (let i = 0; i < 20; i += 1) {
      calls.push(rejection(host.session.call('x', 'y'.repeat(1_000))));
      await clock.settle();
    }
    expect(host.session.queuedBytes).toBeLessThan(7_000);
    const refused = await Promise.all(calls.slice(8));
    expect(refused.every((error) => error.code === 'OVERLOADED')).toBe(true);
    expect(host.ends).toEqual([]);
    host.session.abort('over');
    await Promise.all(calls);
  });

  test('is ended as SLOW_READER when what it is owed exceeds the bound', async () => {
    const { clock, pair, raw, side } = await connectRaw('host', { highWaterMark: 1_000, maxQueuedBytes: 100_000 });
    side.methods.big = () => 'x'.repeat(5_000);
    pair.faults[0].stall();
    const lost = rejection(side.session.call('y', {}));
    for (let id = 1; id < 80 && side.ends.length === 0; id += 2) {
      raw.send({ kind: 'request', id, method: 'big' });
      await clock.settle();
      expect(side.session.queuedBytes).toBeLessThan(106_000);
    }
    expect(side.ends).toMatchObject([{ code: 'SLOW_READER', goodbye: false }]);
    expect(await lost).toMatchObject({ code: 'WORKER_LOST' });
    await clock.settle();
    expect(raw.closed).toBeDefined();
    expect(clock.pendingTimers).toBe(0);
    expect(side.session.runningHandlers).toBe(0);
  });

  test('cannot make the queue grow by pings either', async () => {
    const { clock, pair, raw, side } = await connectRaw('host', { highWaterMark: 1_000, maxQueuedBytes: 10_000 });
    pair.faults[0].stall();
    for (let round = 0; round < 20; round += 1) {
      for (let nonce = 0; nonce < 500; nonce += 1) raw.send({ kind: 'ping', nonce });
      await clock.settle();
    }
    expect(side.ends).toMatchObject([{ code: 'SLOW_READER' }]);
  });
});

describe('[session.slow-reader] a peer that takes nothing of what is sent', () => {
  test('is ended as SLOW_READER after half a minute, however alive it looks', async () => {
    const { clock, pair, raw, side } = await connectRaw('host', { highWaterMark: 1_000 });
    pair.faults[0].stall();
    const lost = rejection(side.session.call('x', 'y'.repeat(3_000), { timeoutMs: 0 }));
    for (let second = 0; second < 29; second += 1) {
      raw.send({ kind: 'ping', nonce: second });
      await clock.advance(1_000);
    }
    expect(side.ends).toEqual([]);
    await clock.advance(1_000);
    expect(side.ends).toMatchObject([{ code: 'SLOW_READER' }]);
    expect(await lost).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
    expect(clock.pendingTimers).toBe(0);
  });

  test('and so is one that reads a byte a second', async () => {
    const { clock, pair, raw, side } = await connectRaw('host', { highWaterMark: 1_000 });
    const lost = rejection(side.session.call('x', 'y'.repeat(3_000), { timeoutMs: 0 }));
    for (let second = 0; second < 40 && side.ends.length === 0; second += 1) {
      pair.faults[0].stall(1);
      raw.send({ kind: 'ping', nonce: second });
      await clock.advance(1_000);
    }
    expect(side.ends).toMatchObject([{ code: 'SLOW_READER' }]);
    expect(side.session.queuedBytes).toBeLessThan(10_000);
    await lost;
  });

  test('but not one that is slow and goes on', async () => {
    const { clock, pair, peer, host } = await connectSessions({ highWaterMark: 1_000 });
    peer.methods.echo = (call) => (call.params as string).length;
    const calls: Promise<unknown>[] = [];
    for (let round = 0; round < 10; round += 1) {
      pair.faults[0].stall();
      calls.push(host.session.call('echo', 'y'.repeat(3_000), { timeoutMs: 0 }));
      await clock.advance(20_000);
      pair.faults[0].resume();
      await clock.advance(100);
    }
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 10 }, () => 3_000));
    expect(host.ends).toEqual([]);
  });
});

describe('small frames', () => {
  test('of one turn leave together, and a batch leaves when it is full', async () => {
    const { clock, pair, host, peer } = await connectSessions();
    peer.methods.echo = (call) => call.params;
    let chunks = 0;
    // Each send of the connection is one chunk at the other end.
    const { connection } = host;
    const count = connection.outbox.flush.bind(connection.outbox);
    connection.outbox.flush = () => {
      chunks += 1;
      count();
    };
    const calls = Array.from({ length: 20 }, (_, i) => host.session.call('echo', i));
    expect(chunks).toBe(0);
    await Promise.all(calls);
    expect(chunks).toBe(1);
    const more = Array.from({ length: 20 }, () => host.session.call('echo', 'x'.repeat(500)));
    expect(chunks).toBeGreaterThan(2);
    await Promise.all(more);
    await clock.settle();
    expect(pair.faults[0].bufferedBytes).toBe(0);
  });
});
