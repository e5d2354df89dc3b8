import { once } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CloseReason } from '../../src/interfaces/transport.js';
import { fromMessagePort, type PortConnection, type PortConnectionOptions } from '../../transports/thread/index.js';

interface Ear {
  readonly connection: PortConnection;
  readonly port: MessagePort;
  readonly chunks: Uint8Array[];
  readonly closed: Promise<CloseReason>;
  writable: number;
}

/** A connection, and the bare port at its other end. */
function setUp(options: Partial<PortConnectionOptions> = {}): Ear {
  const { port1, port2 } = new MessageChannel();
  const connection = fromMessagePort(port1, { peer: { description: 'thread 7' }, closeTimeoutMs: 50, ...options });
  onTestFinished(() => {
    connection.close({ abort: true });
    port2.close();
  });
  const ear: { -readonly [Key in keyof Ear]: Ear[Key] } = { connection, port: port2, chunks: [], closed: Promise.resolve() as never, writable: 0 };
  ear.closed = new Promise((resolve) => {
    connection.start({
      onData: (chunk) => void ear.chunks.push(chunk),
      onWritable() {
        ear.writable += 1;
      },
      onClose: resolve,
    });
  });
  return ear;
}

const posted = async (port: MessagePort): Promise<unknown> => (await once(port, 'message'))[0];
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('what is posted', () => {
  test('[thread.posts] is one array for a send: small chunks together, large ones as pieces of their own, each the whole of its buffer', async () => {
    const { connection, port } = setUp();
    const slab = new Uint8Array(16_384).fill(1);
    const large = new Uint8Array(100_000).fill(2);
    connection.send([slab.subarray(0, 10), slab.subarray(10, 30), new Uint8Array(0), large, slab.subarray(30, 35)]);
    const pieces = (await posted(port)) as Uint8Array[];
    expect(pieces.map((piece) => [piece.length, piece.buffer.byteLength])).toEqual([
      [30, 30],
      [100_000, 100_000],
      [5, 5],
    ]);
    expect([slab.length, large.length]).toEqual([16_384, 100_000]);
  });

  test('[thread.transfer] a buffer that was handed over moves, one that was not is copied, and one that cannot move is copied too', async () => {
    const { connection, port } = setUp();
    const given = new Uint8Array(20_000).fill(1);
    const kept = new Uint8Array(20_000).fill(2);
    const partly = new Uint8Array(40_000).fill(3);
    connection.send([given, kept, partly.subarray(0, 20_000)], [given.buffer, partly.buffer]);
    expect(((await posted(port)) as Uint8Array[]).map((piece) => [piece.length, piece[0]])).toEqual([
      [20_000, 1],
      [20_000, 2],
      [20_000, 3],
    ]);
    expect([given.length, kept.length, partly.length]).toEqual([0, 20_000, 40_000]);
    const pooled = Buffer.from('x'.repeat(10)).buffer as ArrayBuffer;
    const whole = new Uint8Array(pooled);
    expect(connection.send([whole], [pooled])).toBe(true);
    expect(((await posted(port)) as Uint8Array[])[0]!.length).toBe(whole.length);
    expect(whole.length).toBeGreaterThan(0);
    const twice = new Uint8Array(10_000).fill(4);
    connection.send([twice, twice], [twice.buffer]);
    expect(((await posted(port)) as Uint8Array[]).map((piece) => [piece.length, piece[9_999]])).toEqual([
      [10_000, 4],
      [10_000, 4],
    ]);
  });

  test('never has more pieces than a receiver takes', async () => {
    const { connection, port } = setUp();
    connection.send(Array.from({ length: 1_500 }, () => new Uint8Array(8_192)));
    const pieces = (await posted(port)) as Uint8Array[];
    expect(pieces.length).toBeLessThanOrEqual(1_024);
    expect(pieces.reduce((sum, piece) => sum + piece.length, 0)).toBe(1_500 * 8_192);
  });

  test('[thread.window] stays within the window until it is confirmed; the rest waits here', async () => {
    const ear = setUp({ windowBytes: 262_144 });
    let arrived = 0;
    ear.port.on('message', (pieces: Uint8Array[]) => {
      for (const piece of pieces) arrived += piece.length;
    });
    const answers = Array.from({ length: 20 }, () => ear.connection.send([new Uint8Array(65_536)]));
    expect(answers).toEqual([true, true, true, ...Array.from({ length: 17 }, () => false)]);
    await turns();
    expect([arrived, ear.writable]).toEqual([4 * 65_536, 0]);
    ear.port.postMessage(3 * 65_536);
    await turns();
    expect([arrived, ear.writable]).toEqual([7 * 65_536, 0]);
    for (let count = 0; count < 4; count += 1) {
      ear.port.postMessage(4 * 65_536);
      await turns();
    }
    expect([arrived, ear.writable]).toEqual([20 * 65_536, 1]);
    expect(ear.connection.send([new Uint8Array(1)])).toBe(true);
  });

  test('is confirmed by a reader at the latest after 64 KiB', async () => {
    const { port } = setUp();
    port.postMessage([new Uint8Array(65_535)]);
    port.postMessage([new Uint8Array(1)]);
    expect(await posted(port)).toBe(65_536);
  });
});

describe('what arrives', () => {
  test('keeps no more memory alive than it has bytes', async () => {
    const ear = setUp();
    ear.port.postMessage([new Uint8Array(1_000_000).subarray(5, 15)]);
    await turns();
    expect(ear.chunks.map((chunk) => [chunk.length, chunk.buffer.byteLength])).toEqual([[10, 10]]);
  });

  const twoViews = [new Uint8Array(64)].flatMap((all) => [all.subarray(0, 5), all.subarray(5)]);
  const sparse: unknown[] = [];
  sparse.length = 4_294_967_295;
  const withGetter = Object.defineProperty({}, '0', { enumerable: true, get: () => new Uint8Array(1) });
  test.each<[string, () => unknown, RegExp]>([
    ['a string', () => 'hello', /neither an array/],
    ['a bare Uint8Array', () => new Uint8Array(3), /neither an array/],
    ['an object with a getter', () => withGetter, /neither an array/],
    ['a Map', () => new Map(), /neither an array/],
    ['undefined', () => undefined, /neither an array/],
    ['an empty array', () => [], /1 to 1024 pieces, not 0/],
    ['an array of a billion holes', () => sparse, /not 4294967295/],
    ['many empty pieces', () => Array.from({ length: 50_000 }, () => new Uint8Array(0)), /not 50000/],
    ['an empty piece', () => [new Uint8Array(1), new Uint8Array(0)], /is empty/],
    ['a hole', () => Object.assign(new Array(3), [new Uint8Array(1)]), /no Uint8Array/],
    ['an array of arrays', () => [[1, 2, 3]], /no Uint8Array/],
    ['the same piece twice', () => new Array(1_000).fill(new Uint8Array(100_000)), /share their memory/],
    ['two views of one buffer', () => twoViews, /share their memory/],
    ['a view of another type', () => [new DataView(new ArrayBuffer(4))], /no Uint8Array/],
    ['a bare buffer', () => [new ArrayBuffer(4)], /no Uint8Array/],
    ['shared memory', () => [new Uint8Array(new SharedArrayBuffer(8))], /shared/],
    ['an object that looks like a piece', () => [{ length: 3, buffer: new ArrayBuffer(3), byteLength: 3 }], /no Uint8Array/],
    ['a confirmation of more than was sent', () => 1, /confirmed 1 bytes of the 0/],
    ['a negative confirmation', () => -1, /confirmed -1/],
    ['a confirmation that is no number', () => Number.NaN, /confirmed NaN/],
    ['half a byte', () => 0.5, /confirmed 0.5/],
  ])('[thread.hostile-posts] ends the connection with a reason: %s', async (_what, post, message) => {
    const ear = setUp();
    ear.port.postMessage([new Uint8Array([7])]);
    ear.port.postMessage(post());
    ear.port.postMessage([new Uint8Array([8])]);
    const reason = await ear.closed;
    expect(reason).toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringMatching(message) });
    expect(reason.message).toContain('thread 7');
    expect(ear.chunks.map((chunk) => [...chunk])).toEqual([[7]]);
  });

  test('a resizable buffer is refused where Node has them', async () => {
    const buffer = new (ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer)(8, { maxByteLength: 16 });
    const ear = setUp();
    ear.port.postMessage([new Uint8Array(buffer)]);
    expect(await ear.closed).toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('resized') });
  });

  test('an end that is said twice, and bytes after the end, end it too', async () => {
    for (const after of [null, [new Uint8Array(1)]]) {
      const ear = setUp();
      // Something waits, so that the end of this side is not said at once.
      for (let count = 0; count < 40; count += 1) ear.connection.send([new Uint8Array(65_536)]);
      ear.port.postMessage(null);
      ear.port.postMessage(after);
      expect(await ear.closed).toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringMatching(/ended twice|went on after its end/) });
    }
  });

  test('a confirmation of 2^53 that comes while nothing is under way cannot open the window', async () => {
    const ear = setUp();
    ear.port.postMessage(Number.MAX_SAFE_INTEGER);
    expect((await ear.closed).code).toBe('CONNECTION_LOST');
  });
});

test.each([{ windowBytes: 0 }, { closeTimeoutMs: Number.NaN }])('refuses the options %o', (options) => {
  const { port1 } = new MessageChannel();
  expect(() => fromMessagePort(port1, { peer: { description: 'x' }, ...options })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  port1.close();
});
