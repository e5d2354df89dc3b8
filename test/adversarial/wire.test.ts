import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { isRunning, until } from '../process/host-support.js';
import { arena } from './arena.js';
import { ask, framed, frames, rejection, thisCall } from './hostile-frames.js';

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const nested = (depth: number): Uint8Array => bytes(0x94, 0, 101, 0xa1, 0x61, ...new Array<number>(depth).fill(0x91), 0xc0);

describe('bytes that break the protocol', () => {
  const field = arena();

  test.each<[string, Uint8Array]>([
    ['an id of the other parity', frames([0, 100, 'config.get'])],
    ['an id that was used', frames([0, 101, 'config.get'], [0, 101, 'config.get'])],
    ['an id of 2^53 + 1', framed(bytes(0x93, 0, 0xcf, 0, 0x20, 0, 0, 0, 0, 0, 1, 0xa1, 0x61))],
    ['a negative id', frames([0, -1, 'config.get'])],
    ['an acknowledgement of what was never sent', frames([15, 1_000_000])],
    ['acknowledgements that go back', frames([15, 1], [15, 0])],
    ['a second hello', frames([3, { versions: [1], role: 'worker', sdk: { name: 'x', version: '0', language: 'x' } }])],
    ['a welcome', frames([4, {}])],
    ['an unknown kind', frames([63, 1])],
    ['credit of nothing', frames([10, 0, 0])],
    ['credit beyond its range', frames([10, 0, 2 ** 31])],
    ['a length of nothing', bytes(0, 0, 0, 0)],
    ['a length of 4 GiB', bytes(0xff, 0xff, 0xff, 0xff)],
    ['bytes after the value', framed(bytes(0x92, 11, 1, 0xc0))],
    ['a value that is cut short', framed(bytes(0x93, 11))],
    ['the byte 0xc1', framed(bytes(0x92, 0xc1, 1))],
    ['an extension', framed(bytes(0x92, 11, 0xd4, 0x72, 0x40))],
    ['a record definition of msgpackr', framed(bytes(0x92, 11, 0xd5, 0x72, 0x40, 0x91, 0xa1, 0x61, 1))],
    ['a map with the key __proto__', framed(bytes(0x94, 0, 101, 0xa1, 0x61, 0x81, 0xa9, ...Buffer.from('__proto__'), 0x80))],
    ['a map whose key is a number', framed(bytes(0x94, 0, 101, 0xa1, 0x61, 0x81, 1, 1))],
    ['a text that is not UTF-8', framed(bytes(0x93, 0, 101, 0xa2, 0xc3, 0x28))],
    ['nesting of 40', framed(nested(40))],
    ['an array that announces 4 billion elements', framed(bytes(0xdd, 0xff, 0xff, 0xff, 0xff))],
    ['a method with a line break', frames([0, 101, 'log\nwrite'])],
    ['a body that is a map', framed(bytes(0x80))],
    ['an item in a plain call, a hundred times', frames(...Array.from({ length: 100 }, () => [8, thisCall, 1]))],
    ['answers to calls that were never made, a hundred times', frames(...Array.from({ length: 100 }, () => [1, 4_242, null, 1]))],
  ])('%s', async (_name, attack) => {
    const plugin = await field.start();
    const pid = plugin.worker?.pid as number;
    const violations: unknown[] = [];
    const off = field.host.on('worker.violation', (violation) => violations.push(violation));
    const error = await rejection(plugin.call('say_only', { bytes: attack }, { timeoutMs: 5_000 }));
    expect(error).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true, reason: { code: 'PROTOCOL_ERROR' } });
    await until(() => plugin.state === 'quarantined' && !isRunning(pid));
    off();
    expect(violations.length).toBeGreaterThan(0);
    expect(field.host.audit({ pluginId: plugin.id, kind: 'violation' }).at(-1)).toMatchObject({ code: 'PROTOCOL_ERROR' });
    expect(await rejection(plugin.call('echo'))).toMatchObject({ code: 'WORKER_UNAVAILABLE', mayHaveRun: false });
  });
});

describe('bytes that are recorded or ignored', () => {
  const field = arena();

  test.each<[string, number, Uint8Array]>([
    ['an answer to a call that was never made', 1, frames([1, 4_242, null, 'forged'])],
    ['an answer to an id of its own', 1, frames([1, 99, null, 'forged'])],
    ['progress, an item, an end and credit for a call that was never made', 4, frames([7, 4_242, 0.5], [8, 4_242, 1], [9, 4_242], [10, 4_242, 5])],
    ['a cancel of a call of the host', 1, frames([6, 2, 'mine'])],
    ['an item and credit for a plain call', 2, frames([8, thisCall, 1], [10, thisCall, 5])],
    ['what comes late for a call that is settled', 0, frames([7, 2, 0.5], [8, 2, 1], [9, 2], [10, 2, 5], [1, 2, null, 'late'])],
    ['a pong that nobody waits for, kinds of the future and elements of the future', 0, frames([12, 7], [64, 'x'], [200], [11, 1, 'more', {}])],
    ['the most credit, over and over', 0, frames(...Array.from({ length: 2_000 }, () => [10, 0, 2 ** 31 - 1]))],
  ])('%s: %i violations, and the worker goes on', async (_name, count, attack) => {
    const plugin = await field.start();
    const answer = await plugin.call('say_only', { bytes: Buffer.concat([attack, frames([1, thisCall, null, 'true answer'])]) });
    expect(answer).toBe('true answer');
    expect(field.host.audit({ pluginId: plugin.id, kind: 'violation' })).toHaveLength(count);
    expect(await plugin.call('echo', 'on')).toBe('on');
  });

  test('of two answers the first counts, and the call settles once', async () => {
    const plugin = await field.start();
    let settled = 0;
    const call = plugin.call('say_only', {
      bytes: frames([1, thisCall, null, 'first'], [1, thisCall, null, 'second'], [1, thisCall, { code: 'X', message: 'third' }]),
    });
    void call.then(
      () => settled++,
      () => settled++,
    );
    expect(await call).toBe('first');
    await plugin.call('echo');
    expect(settled).toBe(1);
  });

  test('an answer after the time limit is dropped; the caller was told in time', async () => {
    const plugin = await field.start();
    const error = await rejection(plugin.call('never', {}, { timeoutMs: 100 }));
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', mayHaveRun: true });
    expect(await plugin.call('echo', 1)).toBe(1);
  });

  test('a plain call that is answered like a stream, and a stream that is answered like a call', async () => {
    const plugin = await field.start();
    const stream = plugin.stream('say_only', {
      bytes: frames([8, thisCall, 'a'], [9, thisCall], [8, thisCall, 'after the end'], [1, thisCall, null, 'result']),
    });
    const items: unknown[] = [];
    for await (const item of stream) items.push(item);
    expect(items).toEqual(['a']);
    expect(await stream.result).toBe('result');
  });

  test('a one-way message that claims to be more is dropped', async () => {
    const plugin = await field.start();
    await plugin.call('say', {
      bytes: frames([2, 'storage.set', { key: 'x', value: 1 }], [2, 'plugin.load', {}], [2, 'no.such.method'], [2, 'grants.changed', { grants: [] }]),
    });
    expect(field.host.audit({ pluginId: plugin.id }).filter(({ kind }) => kind === 'decision' || kind === 'calls')).toEqual([]);
    expect(await ask(plugin, 'config.get')).toMatchObject({ error: null });
  });
});

describe('a worker that does not play by the flow', () => {
  const field = arena({ limits: { maxQueuedBytes: 1024 * 1024 } });

  test('items beyond the credit of a reader that waits end it', async () => {
    const plugin = await field.start();
    const items = frames(...Array.from({ length: 5 }, () => [8, thisCall, 'x'.repeat(100_000)]));
    const stream = plugin.stream('say_only', { bytes: items });
    expect(await rejection(stream.result)).toMatchObject({ code: 'WORKER_LOST', reason: { code: 'PROTOCOL_ERROR' } });
  });

  test('one that reads nothing and pings without end is given up before the answers fill the memory', async () => {
    const plugin = await field.start();
    // 60,000 pongs have 180 kB: what costs memory are the frames, not their bytes.
    const pings = frames(...Array.from({ length: 60_000 }, () => [11, 1]));
    const error = await rejection(plugin.call('say_and_stop_reading', { bytes: pings, times: 8 }));
    expect(error).toMatchObject({ code: 'WORKER_LOST', reason: { code: 'SLOW_READER' } });
  });

  test('one that asks for much and reads nothing is given up as well', async () => {
    const plugin = await field.start({ requests: ['{ capability: storage.read, reason: x }', '{ capability: storage.write, reason: x }'] });
    expect(await ask(plugin, 'storage.set', { key: 'k', value: 'v'.repeat(200_000) })).toMatchObject({ error: null });
    const requests = frames(...Array.from({ length: 30 }, (_, index) => [0, 1_001 + 2 * index, 'storage.get', { key: 'k' }]));
    expect(await rejection(plugin.call('say_and_stop_reading', { bytes: requests }))).toMatchObject({
      code: 'WORKER_LOST',
      reason: { code: 'SLOW_READER' },
    });
  });

  test('more calls at a time than the host takes are refused, each with its answer', async () => {
    const plugin = await field.start();
    const requests = frames(...Array.from({ length: 2_000 }, (_, index) => [0, 1_001 + 2 * index, 'config.get', {}, 0, 5_000]));
    await plugin.call('say', { bytes: requests });
    await sleep(50);
    const messages = (await plugin.call('arrived')) as readonly (readonly unknown[])[];
    const answers = messages.filter(([kind]) => kind === 1);
    expect(new Set(answers.map(([, id]) => id)).size).toBe(2_000);
    expect(answers).toHaveLength(2_000);
  });

  test('a flood of progress reaches nobody who did not ask, and the call goes on', async () => {
    const plugin = await field.start();
    const flood = frames(...Array.from({ length: 20_000 }, () => [7, thisCall, 0.1, 'p', null]), [1, thisCall, null, 'done']);
    expect(await plugin.call('say_only', { bytes: flood })).toBe('done');
  });

  test('an onProgress that throws ends the call, and nothing else', async () => {
    const plugin = await field.start();
    const onProgress = (): never => {
      throw new Error('reader');
    };
    expect(await rejection(plugin.call('say_only', { bytes: frames([7, thisCall, 2.5], [7, thisCall, 0.5]) }, { onProgress }))).toMatchObject({
      code: expect.stringMatching(/CANCELLED|WORKER_LOST/),
    });
  });
});
