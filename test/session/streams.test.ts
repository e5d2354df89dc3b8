import { describe, expect, test } from 'vitest';
import { defaultFrameLimits } from '../../src/frames/limits.js';
import { encodeMessage } from '../../src/messages/encode-message.js';
import { initialWindowBytes } from '../../src/session/credit.js';
import type { IncomingCall } from '../../src/session/incoming-call.js';
import { connectRaw } from './connect-raw.js';
import { codec, connectSessions, gate, rejection } from './session-pair.js';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function* numbers(count: number): AsyncGenerator<number> {
  for (let i = 0; i < count; i += 1) yield i;
}

describe('[session.streams-both-ways] a stream', () => {
  test('brings the items in order, then the result', async () => {
    const { host, peer } = await connectSessions();
    peer.methods.count = async (call) => {
      for (let i = 0; i < (call.params as number); i += 1) await call.sendItem({ i });
      return 'done';
    };
    const stream = host.session.stream('count', 1_000);
    expect(await collect(stream)).toEqual(Array.from({ length: 1_000 }, (_, i) => ({ i })));
    expect(await stream.result).toBe('done');
  });

  test('carries items both ways on one call', async () => {
    const { host, peer } = await connectSessions();
    peer.methods.double = async (call) => {
      expect([call.sendsItems, call.expectsItems]).toEqual([true, true]);
      let sum = 0;
      for await (const item of call.items) {
        sum += item as number;
        await call.sendItem((item as number) * 2);
      }
      return sum;
    };
    const stream = host.session.stream('double', {}, { input: numbers(200) });
    expect(await collect(stream)).toEqual(Array.from({ length: 200 }, (_, i) => i * 2));
    expect(await stream.result).toBe(19_900);
  });

  test('of the caller alone goes with a plain call; without one the callee reads nothing', async () => {
    const { host, peer } = await connectSessions();
    host.methods.sum = async (call) => (await collect(call.items)).length;
    expect(await peer.session.call('sum', {}, { input: numbers(50) })).toBe(50);
    expect(await peer.session.call('sum', {}, { input: numbers(0) })).toBe(0);
    expect(await peer.session.call('sum', {})).toBe(0);
  });

  test('waits until its items are out before it answers', async () => {
    const { host, peer } = await connectSessions();
    peer.methods.careless = (call) => {
      for (let i = 0; i < 40; i += 1) call.sendItem('x'.repeat(20_000))?.catch(() => {});
      return 'end';
    };
    const stream = host.session.stream('careless', {});
    expect(await collect(stream)).toHaveLength(40);
    expect(await stream.result).toBe('end');
  });

  test('that fails gives what had arrived, then the error', async () => {
    const { host, peer } = await connectSessions();
    peer.methods.fail = async (call) => {
      await call.sendItem(1);
      throw new Error('broken');
    };
    const stream = host.session.stream('fail', {});
    const iterator = stream[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: 1 });
    expect(await rejection(iterator.next())).toMatchObject({ code: 'HANDLER_ERROR', message: 'broken' });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(await rejection(stream.result)).toMatchObject({ code: 'HANDLER_ERROR' });
  });

  test('is cancelled when the reader leaves the loop', async () => {
    const { clock, host, peer } = await connectSessions();
    let call!: IncomingCall;
    peer.methods.endless = async (incoming) => {
      call = incoming;
      for (let i = 0; ; i += 1) await incoming.sendItem(i);
    };
    const stream = host.session.stream('endless', {});
    for await (const item of stream) if (item === 3) break;
    expect(await rejection(stream.result)).toMatchObject({ code: 'CANCELLED' });
    await clock.settle();
    expect(call.cancelled).toBe(true);
    expect([host.session.callsInFlight, peer.session.incomingCallsInFlight, peer.session.runningHandlers]).toEqual([0, 0, 0]);
    expect([...host.violations, ...peer.violations]).toEqual([]);
  });

  test('can be cancelled with a reason, and iterated once', async () => {
    const { host, peer } = await connectSessions();
    peer.methods.wait = (call) => new Promise((_resolve, reject) => call.onCancel(reject));
    const stream = host.session.stream('wait', {});
    const reading = rejection(collect(stream));
    expect(() => stream[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'STREAM_CONSUMED' }));
    stream.cancel('changed my mind');
    expect(await reading).toMatchObject({ code: 'CANCELLED', message: expect.stringContaining('changed my mind') });
    stream.cancel('again');
  });

  test('that nobody reads and whose result nobody awaits is no unhandled rejection', async () => {
    const { clock, host, peer } = await connectSessions();
    peer.methods.fail = () => {
      throw new Error('unseen');
    };
    host.session.stream('fail', {});
    host.session.stream('fail', {}, { input: numbers(3) });
    await clock.settle();
    expect(host.session.callsInFlight).toBe(0);
  });

  test('cannot be answered with items after the answer, nor to a plain call', async () => {
    const { host, peer } = await connectSessions();
    let call!: IncomingCall;
    peer.methods.keep = (incoming) => {
      call = incoming;
      return null;
    };
    await host.session.stream('keep', {}).result;
    expect(() => call.sendItem(1)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
    await host.session.call('keep', {});
    expect(() => call.sendItem(1)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
  });
});

describe('the input of a call', () => {
  test('that fails cancels the call with its error', async () => {
    const { clock, host, peer } = await connectSessions();
    peer.methods.sum = async (call) => (await collect(call.items)).length;
    async function* broken(): AsyncGenerator<number> {
      yield 1;
      throw new Error('disk');
    }
    expect(await rejection(host.session.call('sum', {}, { input: broken() }))).toMatchObject({
      code: 'HANDLER_ERROR',
      message: expect.stringContaining('disk'),
    });
    await clock.settle();
    expect(peer.received[0]?.cancelled).toBe(true);
  });

  test.each<[string, AsyncIterable<unknown>]>([
    [
      'whose iterator cannot be made',
      {
        [Symbol.asyncIterator]() {
          throw new Error('no iterator');
        },
      },
    ],
    [
      'whose return throws',
      {
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.reject(new Error('no iterator')),
          return() {
            throw new Error('not even that');
          },
        }),
      },
    ],
    [
      'that yields what cannot be sent',
      (async function* () {
        yield () => 1;
      })(),
    ],
  ])('%s is an error of the call, not of the process', async (_what, input) => {
    const { clock, host, peer } = await connectSessions();
    peer.methods.sum = async (call) => (await collect(call.items)).length;
    expect(await rejection(host.session.call('sum', {}, { input }))).toMatchObject({ code: expect.stringMatching(/HANDLER_ERROR|INVALID_VALUE/) });
    await clock.settle();
    expect(host.session.callsInFlight).toBe(0);
  });

  test('is told to stop when the callee answers without reading it', async () => {
    const { clock, host, peer } = await connectSessions();
    peer.methods.ignore = () => 'enough';
    let left = false;
    async function* endless(): AsyncGenerator<string> {
      try {
        for (;;) yield 'x'.repeat(1_000);
      } finally {
        left = true;
      }
    }
    expect(await host.session.call('ignore', {}, { input: endless() })).toBe('enough');
    await clock.settle();
    expect(left).toBe(true);
    expect(peer.violations).toEqual([]);
  });

  test('can end with an error that the callee sees', async () => {
    const { clock, raw, side } = await connectRaw('peer');
    let seen: unknown;
    side.methods.sum = async (call) => {
      seen = await rejection(collect(call.items));
      return null;
    };
    raw.send(
      { kind: 'request', id: 2, method: 'sum', flags: 1 },
      { kind: 'item', id: 2, value: 1 },
      { kind: 'end', id: 2, error: { code: 'HANDLER_ERROR', message: 'half' } },
    );
    await clock.settle();
    expect(seen).toMatchObject({ code: 'HANDLER_ERROR', message: 'half' });
    expect(raw.of('response')).toHaveLength(1);
  });
});

describe('[session.credit] credit', () => {
  test('suspends the writer of a slow reader, and lets it go on as the reader reads', async () => {
    const { clock, host, peer } = await connectSessions();
    let sent = 0;
    peer.methods.feed = async (call) => {
      for (; sent < 500; sent += 1) await call.sendItem('x'.repeat(4_000));
    };
    const stream = host.session.stream('feed', {}, { idleTimeoutMs: 0 });
    await clock.settle();
    // A window's worth, and the one item that waits.
    const stoppedAt = sent;
    expect(stoppedAt * 4_000).toBeGreaterThan(initialWindowBytes - 8_000);
    expect(stoppedAt * 4_000).toBeLessThan(initialWindowBytes + 8_000);
    await clock.advance(60_000);
    expect(sent).toBe(stoppedAt);
    const iterator = stream[Symbol.asyncIterator]();
    for (let i = 0; i < 20; i += 1) await iterator.next();
    await clock.settle();
    expect(sent).toBeGreaterThan(stoppedAt);
    expect(sent).toBeLessThan(stoppedAt + 25);
    let rest = 20;
    for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) rest += 1;
    expect(rest).toBe(500);
  });

  test('suspends the writing caller as well', async () => {
    const { clock, host, peer } = await connectSessions();
    let sent = 0;
    async function* feed(): AsyncGenerator<string> {
      for (; sent < 500; sent += 1) yield 'x'.repeat(4_000);
    }
    const begin = gate();
    peer.methods.slow = async (call) => {
      await begin.promise;
      return (await collect(call.items)).length;
    };
    const call = host.session.call('slow', {}, { input: feed() });
    await clock.settle();
    expect(sent * 4_000).toBeLessThan(initialWindowBytes + 8_000);
    begin.open();
    expect(await call).toBe(500);
  });

  test('is overdrawn by one frame at most, and counts the bodies of the frames', async () => {
    const { clock, raw, side } = await connectRaw('peer');
    side.methods.feed = async (call) => {
      for (let i = 0; i < 100; i += 1) await call.sendItem('x'.repeat(30_000));
    };
    raw.send({ kind: 'request', id: 2, method: 'feed', flags: 2 });
    await clock.settle();
    const bytes = () => raw.messages.reduce((sum, { kind }, index) => sum + (kind === 'item' ? (raw.sizes[index] ?? 0) : 0), 0);
    const first = raw.of('item').length;
    expect(first).toBe(Math.ceil(initialWindowBytes / (raw.sizes[0] ?? 0)));
    expect(bytes() - (raw.sizes[0] ?? 0)).toBeLessThan(initialWindowBytes);
    // The overdraft is paid back first.
    raw.send({ kind: 'credit', id: 2, bytes: bytes() - initialWindowBytes });
    await clock.settle();
    expect(raw.of('item')).toHaveLength(first);
    raw.send({ kind: 'credit', id: 2, bytes: 1 });
    await clock.settle();
    expect(raw.of('item')).toHaveLength(first + 1);
  });

  test('lets an item through that is larger than the whole window', async () => {
    const { host, peer } = await connectSessions();
    peer.methods.big = async (call) => {
      for (let i = 0; i < 4; i += 1) await call.sendItem(new Uint8Array(1_000_000));
    };
    expect(await collect(host.session.stream('big', {}))).toHaveLength(4);
  });

  test('whoever sends without it is ended', async () => {
    const { clock, raw, side } = await connectRaw('host');
    const stream = side.session.stream('feed', {});
    await clock.settle();
    raw.send({ kind: 'item', id: 2, value: 'x'.repeat(initialWindowBytes) });
    await clock.settle();
    expect(side.ends).toEqual([]);
    raw.send({ kind: 'item', id: 2, value: 'one too many' });
    await clock.settle();
    expect(side.ends).toMatchObject([{ code: 'PROTOCOL_ERROR', goodbye: false, message: expect.stringContaining('without credit') }]);
    expect(raw.last).toMatchObject({ kind: 'goodbye', code: 'PROTOCOL_ERROR' });
    expect(await rejection(stream.result)).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
  });

  test('grows for a reader that keeps up, up to 16 MiB, and not for one that does not', async () => {
    const { clock, raw, side } = await connectRaw('host');
    const stream = side.session.stream('feed', {});
    const reading = collect(stream);
    let granted = initialWindowBytes;
    let sent = 0;
    let largest = 0;
    for (let i = 0; i < 10; i += 1) {
      await clock.settle();
      granted = initialWindowBytes + raw.of('credit').reduce((sum, { bytes }) => sum + bytes, 0);
      largest = Math.max(largest, granted - sent);
      for (; sent < granted; sent += 1_000_008) raw.send({ kind: 'item', id: 2, value: new Uint8Array(1_000_000) });
    }
    expect(largest).toBeGreaterThan(8 * 1024 * 1024);
    expect(largest).toBeLessThanOrEqual(16 * 1024 * 1024);
    raw.send({ kind: 'response', id: 2 });
    await reading;

    // Now a reader that takes a while for each item.
    const slow = side.session.stream('feed', {}, { idleTimeoutMs: 0 })[Symbol.asyncIterator]();
    raw.messages.length = 0;
    sent = 0;
    for (let i = 0; i < 40; i += 1) {
      granted = initialWindowBytes + raw.of('credit').reduce((sum, { bytes }) => sum + bytes, 0);
      for (; sent < granted; sent += 50_000) raw.send({ kind: 'item', id: 4, value: new Uint8Array(49_990) });
      await clock.advance(50);
      await slow.next();
    }
    expect(granted - sent).toBeLessThanOrEqual(initialWindowBytes);
    expect(sent - 40 * 50_000).toBeLessThanOrEqual(initialWindowBytes + 50_000);
  });

  test('an item that nobody has asked for is not consumed', async () => {
    const { clock, raw, side } = await connectRaw('host');
    const stream = side.session.stream('feed', {});
    await clock.settle();
    for (let i = 0; i < 25; i += 1) raw.send({ kind: 'item', id: 2, value: 'x'.repeat(10_000) });
    await clock.settle();
    expect(raw.of('credit')).toEqual([]);
    const iterator = stream[Symbol.asyncIterator]();
    for (let i = 0; i < 7; i += 1) await iterator.next();
    await clock.settle();
    // What was read, to the byte.
    const bodyBytes = encodeMessage({ kind: 'item', id: 2, value: 'x'.repeat(10_000) }, codec, defaultFrameLimits).length;
    expect(raw.of('credit')).toEqual([{ kind: 'credit', id: 2, bytes: 7 * bodyBytes }]);
  });

  test('a writer that does not wait is stopped by an error, not by memory', async () => {
    const { host, peer } = await connectSessions();
    peer.methods.flood = (call) => {
      const pending: Promise<void>[] = [];
      for (let i = 0; i < 1_000; i += 1) {
        const sent = call.sendItem('x'.repeat(100_000));
        if (sent !== undefined) pending.push(sent.catch(() => {}));
      }
    };
    const stream = host.session.stream('flood', {});
    expect(await rejection(stream.result)).toMatchObject({ code: 'OVERLOADED', message: expect.stringContaining('await each send') });
  });

  test('[session.send-settles] a writer that waits is told when the stream, or the session, ends', async () => {
    const { clock, host, peer } = await connectSessions();
    const ends: Promise<{ code: string }>[] = [];
    peer.methods.feed = (call) => {
      ends.push(
        rejection(
          (async () => {
            for (;;) await call.sendItem('x'.repeat(10_000));
          })(),
        ),
      );
      return new Promise(() => {});
    };
    const stream = host.session.stream('feed', {}, { idleTimeoutMs: 0 });
    host.session.stream('feed', {}, { idleTimeoutMs: 0 });
    await clock.settle();
    stream.cancel();
    await clock.settle();
    expect(await ends[0]).toMatchObject({ code: 'CANCELLED' });
    host.session.abort('gone');
    expect(await ends[1]).toMatchObject({ code: 'HOST_LOST' });
  });
});

describe('one-way messages', () => {
  test('arrive in order, in both directions', async () => {
    const { clock, host, peer } = await connectSessions();
    const seen: unknown[] = [];
    peer.onOneWay = (method, params) => void seen.push([method, params]);
    host.onOneWay = (method, params) => void seen.push([method, params]);
    expect(host.session.notify('events.deliver', 1)).toBe(true);
    expect(host.session.notify('events.deliver', 2)).toBe(true);
    expect(peer.session.notify('log.write', { level: 'info' })).toBe(true);
    await clock.settle();
    expect(seen).toEqual([
      ['events.deliver', 1],
      ['events.deliver', 2],
      ['log.write', { level: 'info' }],
    ]);
    expect(() => host.session.notify('x', () => 1)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
  });

  test('share one window per direction, which a slow handler does not free', async () => {
    const { clock, host, peer } = await connectSessions();
    const handled: ReturnType<typeof gate<void>>[] = [];
    peer.onOneWay = () => {
      const one = gate<void>();
      handled.push(one);
      return one.promise;
    };
    let released = 0;
    host.onOneWayCredit = () => {
      released += 1;
    };
    let sent = 0;
    while (host.session.notify('e', 'x'.repeat(9_990)) && sent < 1_000) {
      sent += 1;
      if (sent % 5 === 0) await clock.settle();
    }
    expect(sent).toBe(Math.ceil(initialWindowBytes / 9_998));
    await clock.settle();
    expect([handled.length, released]).toEqual([sent, 0]);
    for (const one of handled.slice(0, 5)) one.fail(new Error('a failing handler frees it too'));
    await clock.settle();
    expect(released).toBe(0);
    for (const one of handled.slice(5, 12)) one.open();
    await clock.settle();
    expect(released).toBe(1);
    expect(host.session.notify('e', 1)).toBe(true);
    host.session.abort('over');
    expect(host.session.notify('e', 1)).toBe(false);
    for (const one of handled) one.open();
    await clock.settle();
  });
});
