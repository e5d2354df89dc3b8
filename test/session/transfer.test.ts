import { MessageChannel } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { nodePlatform } from '../../src/node/node-platform.js';
import { SimulatedClock } from '../../src/testing/simulated-clock.js';
import { createMemoryPair } from '../../transports/memory/memory-pair.js';
import { fromMessagePort } from '../../transports/thread/port-connection.js';
import { establishSessions, rejection } from './session-pair.js';

const megabyte = 1024 * 1024;
const size = 100 * 1024;

describe('[session.transfer] binary data', () => {
  test('that is handed over is sent from where it lies, and any other is copied when the call is made', async () => {
    const clock = new SimulatedClock();
    const pair = createMemoryPair({ clock, highWaterMark: 16 * megabyte });
    const sent: Uint8Array[] = [];
    const send = pair[0].send.bind(pair[0]);
    pair[0].send = (chunks) => {
      sent.push(...chunks);
      return send(chunks);
    };
    const { host, peer } = await establishSessions(pair, clock);
    peer.methods.sum = (call) => (call.params as { data: Uint8Array }).data.reduce((sum, byte) => sum + byte, 0);
    const kept = new Uint8Array(100_000).fill(1);
    const given = new Uint8Array(100_000).fill(2);
    const first = host.session.call('sum', { data: kept });
    const second = host.session.call('sum', { data: given }, { transfer: [given.buffer] });
    kept.fill(9);
    await clock.settle();
    expect(await first).toBe(100_000);
    expect(await second).toBe(200_000);
    expect(sent.some((chunk) => chunk.buffer === kept.buffer)).toBe(false);
    expect(sent.filter((chunk) => chunk.buffer === given.buffer).map((chunk) => chunk.length)).toEqual([100_000]);
  });

  test('moves between threads, both ways, and stays where it was not handed over', async () => {
    const { port1, port2 } = new MessageChannel();
    const pair = [fromMessagePort(port1, { peer: { description: 'one' } }), fromMessagePort(port2, { peer: { description: 'other' } })] as const;
    const { host, peer } = await establishSessions(pair, nodePlatform().clock);
    let answered: Uint8Array<ArrayBuffer> | undefined;
    peer.methods.echo = (call) => {
      answered = new Uint8Array(call.params as Uint8Array);
      call.handOver([answered.buffer]);
      return answered;
    };
    const given = new Uint8Array(size).fill(7);
    const kept = new Uint8Array(size).fill(8);
    const [first, second] = await Promise.all([host.session.call('echo', given, { transfer: [given.buffer] }), host.session.call('echo', kept)]);
    expect(given.byteLength).toBe(0);
    expect(kept.byteLength).toBe(size);
    expect(answered?.byteLength).toBe(0);
    expect(Buffer.compare(first as Uint8Array, new Uint8Array(size).fill(7))).toBe(0);
    expect(Buffer.compare(second as Uint8Array, kept)).toBe(0);
    host.session.close('STOPPED', 'Done.');
    await Promise.all([host.session.closed, peer.session.closed]);
  });

  test('that arrived can be handed over again: it moves there and back, and is never copied', async () => {
    const { port1, port2 } = new MessageChannel();
    const pair = [fromMessagePort(port1, { peer: { description: 'one' } }), fromMessagePort(port2, { peer: { description: 'other' } })] as const;
    const { host, peer } = await establishSessions(pair, nodePlatform().clock);
    const received: { readonly data: Uint8Array<ArrayBuffer>; readonly wasWhole: boolean }[] = [];
    peer.methods.echo = (call) => {
      const { data } = call.params as { data: Uint8Array<ArrayBuffer> };
      received.push({ data, wasWhole: data.byteLength === data.buffer.byteLength });
      call.handOver([data.buffer]);
      return { name: 'ä', data, more: [1, 2] };
    };
    const given = new Uint8Array(size).fill(7);
    const kept = new Uint8Array(size).fill(8);
    const echoes = await Promise.all([
      host.session.call('echo', { data: given, note: 'behind it' }, { transfer: [given.buffer] }),
      host.session.call('echo', { data: kept }),
    ]);
    const [first, second] = echoes.map((echo) => (echo as { data: Uint8Array }).data) as [Uint8Array, Uint8Array];
    expect([given.byteLength, kept.byteLength]).toEqual([0, size]);
    // Also the copy that was made of the other one when it was sent.
    expect(received.map(({ data, wasWhole }) => [wasWhole, data.byteLength])).toEqual([
      [true, 0],
      [true, 0],
    ]);
    expect([first, second].map((bytes) => [bytes.byteLength, bytes.buffer.byteLength])).toEqual([
      [size, size],
      [size, size],
    ]);
    expect(echoes[0]).toMatchObject({ name: 'ä', more: [1, 2] });
    expect(first.every((byte) => byte === 7) && second.every((byte) => byte === 8)).toBe(true);
    host.session.close('STOPPED', 'Done.');
    await Promise.all([host.session.closed, peer.session.closed]);
  });

  test('is named by its buffer', async () => {
    const clock = new SimulatedClock();
    const { host } = await establishSessions(createMemoryPair({ clock }), clock);
    const wrong = [new Uint8Array(3)] as unknown as ArrayBuffer[];
    expect(await rejection(host.session.call('x', {}, { transfer: wrong }))).toMatchObject({ code: 'INVALID_ARGUMENT', mayHaveRun: false });
  });
});
