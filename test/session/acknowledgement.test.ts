import { describe, expect, test } from 'vitest';
import type { Message } from '../../src/messages/message.js';
import { connectRaw } from './connect-raw.js';
import { connectSessions, rejection } from './session-pair.js';

const oneWay = (params: unknown = null): Message => ({ kind: 'oneWay', method: 'e', params });

describe('[session.ack] received messages are acknowledged', () => {
  test('after 64', async () => {
    const { clock, raw } = await connectRaw('host');
    raw.send(...Array.from({ length: 63 }, () => oneWay()));
    await clock.settle();
    expect(raw.of('ack')).toEqual([]);
    raw.send(oneWay());
    await clock.settle();
    expect(raw.of('ack')).toEqual([{ kind: 'ack', count: 64 }]);
    raw.send(...Array.from({ length: 130 }, () => oneWay()));
    await clock.settle();
    expect(raw.of('ack').map(({ count }) => count)).toEqual([64, 128, 192]);
  });

  test('after 256 KiB', async () => {
    const { clock, raw } = await connectRaw('host');
    raw.send(oneWay('x'.repeat(200_000)));
    await clock.settle();
    expect(raw.of('ack')).toEqual([]);
    raw.send({ kind: 'request', id: 1, method: 'nothing', params: 'x'.repeat(70_000) });
    await clock.settle();
    expect(raw.of('ack')).toEqual([{ kind: 'ack', count: 2 }]);
  });

  test('after 100 ms, once, and not when nothing arrived', async () => {
    const { clock, raw } = await connectRaw('host');
    await clock.advance(1_000);
    expect(raw.of('ack')).toEqual([]);
    raw.send(oneWay());
    await clock.advance(50);
    raw.send(oneWay());
    await clock.advance(49);
    expect(raw.of('ack')).toEqual([]);
    await clock.advance(1);
    expect(raw.of('ack')).toEqual([{ kind: 'ack', count: 2 }]);
    await clock.advance(1_000);
    expect(raw.of('ack')).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test('with a flush from 48 on', async () => {
    const { clock, raw, side } = await connectRaw('host');
    raw.send(...Array.from({ length: 47 }, () => oneWay()));
    await clock.settle();
    side.session.notify('e', 1);
    await clock.settle();
    expect(raw.of('ack')).toEqual([]);
    raw.send(oneWay());
    await clock.settle();
    side.session.notify('e', 2);
    await clock.settle();
    expect(raw.messages.slice(-2)).toMatchObject([
      { kind: 'oneWay', params: 2 },
      { kind: 'ack', count: 48 },
    ]);
  });

  test('ping, pong and ack are not counted; kinds that are ignored are', async () => {
    const { clock, raw, side } = await connectRaw('host');
    side.session.notify('e', 1);
    await clock.settle();
    raw.send({ kind: 'ping', nonce: 7 }, { kind: 'pong', nonce: 99 }, { kind: 'ack', count: 1 }, oneWay());
    raw.sendValues([64, 'from the future'], [100]);
    await clock.advance(100);
    expect(raw.of('ack')).toEqual([{ kind: 'ack', count: 3 }]);
    expect(raw.of('pong')).toEqual([{ kind: 'pong', nonce: 7 }]);
  });

  test('what was sent is confirmed on both sides, and the two counts agree', async () => {
    const { clock, host, peer } = await connectSessions();
    peer.methods.echo = (call) => call.params;
    await Promise.all(Array.from({ length: 60 }, (_, i) => host.session.call('echo', i)));
    expect(host.session.unackedMessages + peer.session.unackedMessages).toBeGreaterThan(0);
    await clock.advance(200);
    expect([host.session.unackedMessages, peer.session.unackedMessages]).toEqual([0, 0]);
    expect(host.connection.acknowledgement.received).toBe(60);
  });

  test.each([
    ['above what was sent', [3]],
    ['below an earlier one', [2, 1]],
  ])('an ack %s is a protocol error', async (_what, counts) => {
    const { clock, raw, side } = await connectRaw('host');
    side.session.notify('e', 1);
    side.session.notify('e', 2);
    await clock.settle();
    for (const count of counts) raw.send({ kind: 'ack', count });
    await clock.settle();
    expect(side.ends).toMatchObject([{ code: 'PROTOCOL_ERROR' }]);
    expect(raw.last).toMatchObject({ kind: 'goodbye', code: 'PROTOCOL_ERROR' });
  });
});

test('ping tells the round trip', async () => {
  const { clock, pair, host } = await connectSessions();
  pair.faults[0].delay(30);
  pair.faults[1].delay(12);
  const ping = host.session.ping();
  await clock.advance(100);
  expect(await ping).toBe(42);
  expect(host.session.lastReceivedAt).toBe(42);
});

test('pings without number, of which none is answered, take no memory', async () => {
  const { clock, side, raw } = await connectRaw('host');
  let answered = 0;
  for (let i = 0; i < 100; i += 1) void side.session.ping().then(() => (answered += 1));
  await clock.settle();
  raw.send(...raw.of('ping').map(({ nonce }): Message => ({ kind: 'pong', nonce })));
  await clock.settle();
  // Of the many only the last 16 are remembered.
  expect(answered).toBe(16);
  side.session.abort('over');
  expect(await rejection(side.session.call('x', {}))).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: false });
});
