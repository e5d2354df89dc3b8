import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { isWorkerRuntimeError, type WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { FrameWriter } from '../../src/frames/frame-writer.js';
import { defaultFrameLimits, type FrameLimits } from '../../src/frames/limits.js';
import { msgpackrCodec, type ValueCodec } from '../../src/messages/codec.js';
import { encodeMessage, encodeMessageInto } from '../../src/messages/encode-message.js';
import type { Message } from '../../src/messages/message.js';
import { strictCodec } from '../../src/messages/strict-codec/strict-codec.js';
import { type BytesSpec, readVectors, toBytes } from '../vectors/read-vectors.js';
import { anything, propertyOptions, sendable, tightLimits } from './arbitrary-values.js';

// The strict codec against msgpackr behind the scan and the sender's check. A long run:
// FAST_CHECK_RUNS=50000 FAST_CHECK_SEED=$RANDOM npx vitest run test/messages/strict-codec.test.ts

const reference = msgpackrCodec();
const strict = strictCodec();
const ours: readonly (readonly [string, ReturnType<typeof strictCodec>])[] = [
  ['with the text methods of the platform', strict],
  ['portable', strictCodec({ portable: true })],
];
/** Decodes a part of a chunk, as a session does. The member is internal, and not in the declarations that tests see. */
function decodePart(codec: ValueCodec, chunk: Uint8Array, start: number, end: number, limits: FrameLimits): unknown {
  return (codec as unknown as { decodePart(...parameters: unknown[]): unknown }).decodePart(chunk, start, end, limits);
}
const slow = { timeout: Math.max(30_000, propertyOptions.numRuns * 50) };
vi.setConfig({ testTimeout: slow.timeout });
const many = { ...propertyOptions, numRuns: propertyOptions.numRuns * 10 };

type Outcome = { readonly value: unknown } | { readonly code: string; readonly offset: unknown };

function decoded(codec: ValueCodec, body: Uint8Array, limits: FrameLimits): Outcome {
  try {
    return { value: codec.decode(body, limits) };
  } catch (error) {
    if (isWorkerRuntimeError(error)) return { code: error.code, offset: error.details.offset };
    throw error;
  }
}

/** Both codecs accept the bytes and make the same of them, or both refuse them, for a fault at the same place. */
function expectSame(body: Uint8Array, limits: FrameLimits): Outcome {
  const expected = decoded(reference, body, limits);
  for (const [, codec] of ours) {
    deepStrictEqual(decoded(codec, body, limits), expected);
    // The same bytes somewhere in a chunk: nothing around them is read, and offsets count from their beginning.
    const chunk = Buffer.alloc(body.length + 20, 0xc1);
    chunk.set(body, 7);
    const part = ((): Outcome => {
      try {
        return { value: decodePart(codec, chunk, 7, 7 + body.length, limits) };
      } catch (error) {
        if (isWorkerRuntimeError(error)) return { code: error.code, offset: error.details.offset };
        throw error;
      }
    })();
    deepStrictEqual(part, expected);
  }
  return expected;
}

function sent(codec: ValueCodec, message: Message, limits: FrameLimits): { readonly body: Uint8Array } | { readonly error: WorkerRuntimeError } {
  const frames = new FrameWriter();
  try {
    const size = encodeMessageInto(frames, message, codec, limits);
    const batch = Buffer.concat(frames.take());
    expect(batch.readUInt32BE(0)).toBe(size);
    expect(batch.length).toBe(4 + size);
    return { body: new Uint8Array(batch.subarray(4)) };
  } catch (error) {
    expect(frames.take()).toEqual([]);
    if (isWorkerRuntimeError(error)) return { error };
    throw error;
  }
}

const mutation = fc.oneof(
  fc.record({
    kind: fc.constant('set' as const),
    at: fc.nat(),
    to: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0x80, max: 0xdf })),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), to: fc.constant(0) }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ kind: fc.constant('drop' as const), at: fc.nat(), to: fc.constant(0) }),
);

describe('[wire.codecs-agree] the same as msgpackr behind the scan', () => {
  test('[wire.hostile-frames] on every vector', () => {
    for (const file of ['messages', 'values', 'hostile'] as const) {
      for (const { hex } of readVectors(file)) if (hex !== undefined) expectSame(new Uint8Array(toBytes(hex as BytesSpec)), defaultFrameLimits);
    }
  });

  test('on random values', slow, () => {
    fc.assert(
      fc.property(sendable, fc.constantFrom(tightLimits, defaultFrameLimits), (value, limits) => {
        const body = new Uint8Array(reference.encode(value));
        for (const [, codec] of ours) deepStrictEqual(new Uint8Array(codec.encode(value)), body);
        expectSame(body, limits);
      }),
      many,
    );
  });

  test('on random bytes', slow, () => {
    const token = fc.oneof(
      { weight: 2, arbitrary: fc.integer({ min: 0x80, max: 0xdf }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
    );
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(token, { maxLength: 40 }), fc.constantFrom(tightLimits, defaultFrameLimits), (bytes, limits) => {
        if ('value' in expectSame(Uint8Array.from(bytes), limits)) accepted += 1;
      }),
      many,
    );
    expect(accepted).toBeGreaterThan(0);
  });

  test('on valid frames that were changed', slow, () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(
        sendable,
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(tightLimits, defaultFrameLimits),
        (value, mutations, limits) => {
          const bytes = [...reference.encode([0, 2, 'x', value])];
          for (const { kind, at, to } of mutations) {
            const index = at % (bytes.length + 1);
            if (kind === 'cut') bytes.length = index;
            else if (kind === 'insert') bytes.splice(index, 0, to);
            else if (kind === 'drop') bytes.splice(index, 1);
            else bytes[Math.min(index, bytes.length - 1)] = to;
          }
          if ('value' in expectSame(Uint8Array.from(bytes), limits)) accepted += 1;
          else refused += 1;
        },
      ),
      many,
    );
    expect(accepted).toBeGreaterThan(propertyOptions.numRuns / 4);
    expect(refused).toBeGreaterThan(propertyOptions.numRuns);
  });

  test('[wire.sender-refuses] in what is sent, and in what is refused for which reason', slow, () => {
    let refused = 0;
    fc.assert(
      fc.property(anything, fc.constantFrom(tightLimits, { ...tightLimits, maxFrameBytes: 1_000_000 }, defaultFrameLimits), (value, limits) => {
        const kinds: Message[] = [
          { kind: 'item', id: 2, value },
          { kind: 'request', id: 4, method: 'a.b', params: value, deadlineMs: 30_000, idempotencyKey: 'ü' },
          { kind: 'response', id: 2 ** 40, result: value },
          { kind: 'oneWay', method: 'x', params: value },
        ];
        for (const message of kinds) {
          const expected = sent(reference, message, limits);
          for (const [, codec] of ours) {
            const found = sent(codec, message, limits);
            // By itself, for the queue, it is what it is in a batch.
            if ('body' in found) deepStrictEqual(new Uint8Array(encodeMessage(message, codec, limits)), found.body);
            else {
              // How much of a frame that is too large was written when it was noticed depends on the room that there was.
              const { code, message: sentence } = found.error;
              const same = code === 'INVALID_VALUE' ? { code, message: sentence } : { code };
              expect(() => encodeMessage(message, codec, limits)).toThrow(expect.objectContaining(same));
            }
            if ('body' in expected || 'body' in found) {
              deepStrictEqual(found, expected);
              continue;
            }
            refused += 1;
            // A value with two faults may be refused for either: the reference counts the bytes of the whole frame last.
            if (found.error.code === expected.error.code && found.error.code === 'INVALID_VALUE') {
              expect(found.error.message).toBe(expected.error.message);
              deepStrictEqual(found.error.details, expected.error.details);
            } else expect([found.error.code, expected.error.code]).toContain('FRAME_TOO_LARGE');
          }
        }
      }),
      many,
    );
    expect(refused).toBeGreaterThan(propertyOptions.numRuns);
  });

  test('on every number at an edge', () => {
    const edges = [0, 5, 7, 8, 15, 16, 31, 32, 52, 53, 63, 64].flatMap((bits) => [
      2n ** BigInt(bits) - 1n,
      2n ** BigInt(bits),
      2n ** BigInt(bits) + 1n,
    ]);
    const integers = [...edges, ...edges.map((edge) => -edge)].filter((edge) => edge >= -(2n ** 63n) && edge < 2n ** 64n);
    const floats = [
      0,
      -0,
      0.1,
      5e-324,
      1.7976931348623157e308,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      2 ** 53 + 2,
      -(2 ** 70),
    ];
    for (const value of [...integers, ...integers.map(Number), ...floats]) {
      const body = new Uint8Array(reference.encode(value));
      for (const [, codec] of ours) deepStrictEqual(new Uint8Array(codec.encode(value)), body);
      expectSame(body, defaultFrameLimits);
    }
    const view = new DataView(new ArrayBuffer(9));
    for (const [token, write] of [
      [0xca, (value: number) => view.setFloat32(1, value)],
      [0xcb, (value: number) => view.setFloat64(1, value)],
    ] as const) {
      view.setUint8(0, token);
      for (const value of floats) {
        write(value);
        expectSame(new Uint8Array(view.buffer.slice(0, token === 0xca ? 5 : 9)), defaultFrameLimits);
      }
    }
    for (const token of [0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3]) {
      for (const byte of [0x00, 0x01, 0x7f, 0x80, 0x81, 0xff]) {
        for (let length = 0; length <= 9; length += 1) expectSame(Uint8Array.of(token, ...new Array<number>(length).fill(byte)), defaultFrameLimits);
      }
    }
  });

  test('on times of all three forms, before and after the epoch', slow, () => {
    const time = fc.oneof(
      fc.date({ noInvalidDate: true }),
      fc.integer({ min: -5_000, max: 5_000 }).map((ms) => new Date(ms)),
      fc.nat(2 ** 34).map((s) => new Date(s * 1_000 + 1)),
    );
    fc.assert(
      fc.property(time, (date) => {
        const body = new Uint8Array(reference.encode(date));
        for (const [, codec] of ours) deepStrictEqual(new Uint8Array(codec.encode(date)), body);
        expectSame(body, defaultFrameLimits);
      }),
      many,
    );
    fc.assert(
      fc.property(fc.constantFrom(0xd6, 0xd7, 0xc7), fc.uint8Array({ minLength: 14, maxLength: 14 }), (token, rest) => {
        const size = token === 0xd6 ? 5 : token === 0xd7 ? 9 : 14;
        const bytes = Uint8Array.of(token, ...rest.subarray(0, size));
        bytes[token === 0xc7 ? 2 : 1] = 0xff;
        if (token === 0xc7) bytes[1] = 12;
        expectSame(bytes, defaultFrameLimits);
        // Nearer to the epoch, most are valid.
        if (token === 0xc7) bytes.fill((bytes[7] as number) < 0x80 ? 0 : 0xff, 7, 10);
        if (token !== 0xd6) bytes[token === 0xc7 ? 3 : 2] = 0x20;
        expectSame(bytes, defaultFrameLimits);
      }),
      many,
    );
  });

  test('on strings around every length at which the way of reading changes', () => {
    for (const unit of ['a', 'é', '你', '🌍', '\ufeff', '\0']) {
      for (const length of [
        0, 1, 3, 4, 5, 12, 13, 31, 32, 33, 47, 48, 49, 50, 63, 64, 65, 127, 128, 191, 192, 193, 255, 256, 511, 512, 513, 4_096, 4_097, 21_845, 65_535,
        65_536, 70_000,
      ]) {
        const text = unit.repeat(length);
        const values = [text, `${text}a`, `a${text}`, [text, 1, text], length < 300 ? { [`k${text}`]: text } : text];
        for (const value of values) {
          const body = new Uint8Array(reference.encode(value));
          for (const [, codec] of ours) deepStrictEqual(new Uint8Array(codec.encode(value)), body);
          expectSame(body, defaultFrameLimits);
        }
      }
    }
  });

  test('on strings at every place beside the end of a stretch that is made text in one go', () => {
    for (let offset = 5; offset < 60; offset += 1) {
      const words = Array.from({ length: 120 }, (_, index) => `${index}abcdefghijklmno`.slice(0, 5 + (index % 7)));
      expectSame(new Uint8Array(reference.encode(['x'.repeat(offset), ...words])), defaultFrameLimits);
      expectSame(
        new Uint8Array(reference.encode(['x'.repeat(offset), Object.fromEntries(words.map((word, index) => [word, `${index}-value`]))])),
        defaultFrameLimits,
      );
    }
  });

  test('on lone surrogates wherever they stand in a string', () => {
    for (const length of [0, 1, 30, 31, 47, 48, 49, 100, 5_000]) {
      for (const [head, tail] of [
        ['', 'x'.repeat(length)],
        ['x'.repeat(length), ''],
        ['é'.repeat(length), '🌍'],
        ['🌍'.repeat(length), ''],
      ] as const) {
        for (const half of ['\ud800', '\udc00', '\udbff', '\udfff', '\udc00\ud800', '\ud800\ud800', '\udc00\udc00']) {
          const text = head + half + tail;
          for (const value of [text, [text], { [text]: 1 }]) {
            const message: Message = { kind: 'item', id: 2, value };
            const expected = sent(reference, message, defaultFrameLimits);
            for (const [, codec] of ours) expect(sent(codec, message, defaultFrameLimits)).toEqual(expected);
            expect(expected).toHaveProperty('error.code', 'INVALID_VALUE');
          }
        }
      }
    }
  });
});

describe('a hostile frame', () => {
  test.each(ours)('that announces much is refused without reserving it, %s', (_name, codec) => {
    for (const digits of ['dd0fffffff', 'df0000ffff', 'dbffffffff61', 'c6ffffffff00', 'dd00018600']) {
      const body = new Uint8Array(Buffer.from(digits, 'hex'));
      expect(() => codec.decode(body, { ...defaultFrameLimits, maxElements: 2 ** 29, maxMapEntries: 2 ** 28 })).toThrow(
        expect.objectContaining({ code: 'PROTOCOL_ERROR' }),
      );
    }
  });
  test.each(ours)('of any depth ends at the limit, and at 128 whatever the limit, %s', (_name, codec) => {
    for (const token of [[0x91], [0x81, 0xa1, 0x61]]) {
      for (const depth of [127, 128, 129, 200, 100_000]) {
        const body = Uint8Array.from([...Array.from({ length: depth }, () => token).flat(), 0xc0]);
        const limits = { ...defaultFrameLimits, maxDepth: 10_000, maxElements: 1_000_000 };
        if (depth <= 128) expect(codec.decode(body, limits)).toBeDefined();
        else expect(() => codec.decode(body, limits)).toThrow(expect.objectContaining({ details: { offset: 128 * token.length } }));
      }
    }
  });
  test.each(ours)('of ever new keys neither fills the memory nor slows the others down, %s', (_name, codec) => {
    const limits = defaultFrameLimits;
    for (let round = 0; round < 300; round += 1) {
      // All of one slot: same length, first, middle and last character.
      const map = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`a${String(round * 300 + index).padStart(9, '0')}bcdefghij`, index]));
      deepStrictEqual(codec.decode(reference.encode(map), limits), map);
    }
    deepStrictEqual(codec.decode(reference.encode({ a: 1, b: { a: 2 } }), limits), { a: 1, b: { a: 2 } });
  });
  test.each(ours)('cannot smuggle a key past the check of keys by way of the cache, %s', (_name, codec) => {
    const body = (key: string) => Buffer.concat([Buffer.from([0x81, 0xa0 + key.length]), Buffer.from(key, 'latin1'), Buffer.from([1])]);
    const refusal = expect.objectContaining({ code: 'PROTOCOL_ERROR' });
    for (let round = 0; round < 3; round += 1) {
      expect(() => codec.decode(body('__proto__'), defaultFrameLimits)).toThrow(refusal);
      expect(codec.decode(body('__prota__'), defaultFrameLimits)).toEqual({ __prota__: 1 });
      expect(() => codec.decode(body('a\xffb'), defaultFrameLimits)).toThrow(refusal);
      expect(() => codec.decode(Uint8Array.of(0x81, 0xc4, 0x01, 0x61, 0x01), defaultFrameLimits)).toThrow(refusal);
    }
    // Written in the long form too.
    expect(() => codec.decode(Buffer.concat([Buffer.from([0x81, 0xd9, 9]), Buffer.from('__proto__'), Buffer.from([1])]), defaultFrameLimits)).toThrow(
      refusal,
    );
  });
  test.each(ours)('with a key twice keeps the last, and an own `constructor` is an own member of the usual kind, %s', (_name, codec) => {
    expect(codec.decode(Uint8Array.of(0x82, 0xa1, 0x61, 1, 0xa1, 0x61, 2), defaultFrameLimits)).toEqual({ a: 2 });
    const map = codec.decode(reference.encode({ constructor: 1, a: { valueOf: 2 } }), defaultFrameLimits) as object;
    expect(Object.getOwnPropertyDescriptor(map, 'constructor')).toEqual({ value: 1, writable: true, enumerable: true, configurable: true });
  });
  test.each(ours)('that is refused leaves the codec as it was, %s', (_name, codec) => {
    const good = reference.encode([1, { name: 'a text that is long enough to be a part of another' }]).slice();
    for (let cut = 0; cut < good.length; cut += 1) {
      expect(() => codec.decode(good.subarray(0, cut), defaultFrameLimits)).toThrow();
      expect(codec.decode(good, defaultFrameLimits)).toEqual([1, { name: 'a text that is long enough to be a part of another' }]);
    }
  });
  test('is never read beyond its end for a string', () => {
    expect(
      decodePart(strict, Buffer.concat([Buffer.of(0xa6), Buffer.from('secret'), Buffer.of(0xa6), Buffer.from('second')]), 7, 14, defaultFrameLimits),
    ).toBe('second');
  });
});

describe('[wire.read-once] a value that is no plain data', () => {
  const limits = defaultFrameLimits;
  const message = (value: unknown): Message => ({ kind: 'item', id: 2, value });
  function bodyOf(value: unknown): unknown {
    const result = sent(strict, message(value), limits);
    if ('error' in result) throw result.error;
    return (strict.decode(result.body, limits) as unknown[])[2];
  }

  test('is read once, so what changes while it is read is sent as it was read', () => {
    let reads = 0;
    const value = {
      get a() {
        reads += 1;
        return reads === 1 ? 'once' : new Set();
      },
    };
    expect(bodyOf(value)).toEqual({ a: 'once' });
    expect(reads).toBe(1);
    const shrinking: Record<string, unknown> = {
      get a() {
        delete shrinking.b;
        shrinking.c = 1;
        return 1;
      },
      b: 2,
    };
    expect(bodyOf(shrinking)).toEqual({ a: 1, b: null });
    const list: unknown[] = [0, 1, 2];
    Object.defineProperty(list, 0, {
      get() {
        list.length = 1;
        return 'first';
      },
    });
    expect(bodyOf(list)).toEqual(['first', null, null]);
  });
  test('of a proxy is what the proxy says, or is refused', () => {
    expect(bodyOf(new Proxy({ a: 1 }, {}))).toEqual({ a: 1 });
    expect(bodyOf(new Proxy([1, 2], {}))).toEqual([1, 2]);
    for (const length of [-1, 1.5, Number.NaN, '2', 2n, {}, Number.POSITIVE_INFINITY, 2 ** 40]) {
      const proxy = new Proxy([1, 2], { get: (target, name) => (name === 'length' ? length : Reflect.get(target, name)) });
      expect(() => bodyOf(proxy)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
    }
    const bytes = new Proxy(new Uint8Array(3), {});
    expect(() => bodyOf(bytes)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
  });
  test('of binary data that lies about itself is sent as what it is', () => {
    class Liar extends Uint8Array {
      override get length(): number {
        return 100;
      }
      override get byteLength(): number {
        return 100;
      }
      override get byteOffset(): number {
        return 50;
      }
    }
    expect(bodyOf([new Liar([1, 2, 3])])).toEqual([Uint8Array.of(1, 2, 3)]);
    const own = Object.defineProperty(new Uint8Array([1, 2]), 'length', { value: 5_000 });
    expect(bodyOf(own)).toEqual(Uint8Array.of(1, 2));
    const large = new Liar(10_000).fill(3);
    const frames = new FrameWriter();
    const size = encodeMessageInto(frames, message(large), strict, limits, () => true);
    expect(Buffer.concat(frames.take())).toHaveLength(4 + size);
    for (const fake of [Object.create(Uint8Array.prototype), Object.create(Date.prototype)]) {
      expect(() => bodyOf(fake)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
    }
    expect(bodyOf(structuredClone(new Uint8Array(3)))).toEqual(new Uint8Array(3));
  });
  test('that throws, or nests without end, is refused, and the batch is as it was', () => {
    const ring: { self?: unknown } = {};
    ring.self = ring;
    const endless = (): unknown =>
      new Proxy({}, { ownKeys: () => ['x'], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }), get: endless });
    const frames = new FrameWriter();
    encodeMessageInto(frames, message('before'), strict, limits);
    for (const value of [
      ring,
      endless(),
      {
        a: 'x'.repeat(1_000),
        b: {
          get c(): never {
            throw new Error('no');
          },
        },
      },
      new Array(4e9),
      [1, 2n ** 64n],
    ]) {
      expect(() => encodeMessageInto(frames, message(value), strict, limits)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
    }
    encodeMessageInto(frames, message('after'), strict, limits);
    expect(frames.frameCount).toBe(2);
    // In one run: the room that was given back was used again.
    const chunks = frames.take();
    expect(chunks).toHaveLength(1);
    expect(Buffer.concat(chunks).toString('latin1')).toBe('\0\0\0\x0a\x93\x08\x02\xa6before\0\0\0\x09\x93\x08\x02\xa5after');
  });
  test('that needs more room than was left takes the batch along', () => {
    const frames = new FrameWriter();
    for (const value of ['a', ['x'.repeat(1_500), 'y'.repeat(1_500)], 'b', 'c']) encodeMessageInto(frames, message(value), strict, limits);
    expect(frames.take()).toHaveLength(2);
  });
  test('whose getter sends something else, and even empties the batch, harms neither', () => {
    for (const [flush, size] of [
      [false, 5],
      [true, 5],
      [false, 300],
      [true, 300],
      [false, 20_000],
      [true, 20_000],
    ] as const) {
      const frames = new FrameWriter();
      const chunks: Uint8Array[] = [];
      const expected: unknown[] = [];
      for (let round = 0; round < 40; round += 1) {
        const inner = { inner: round, text: 'i'.repeat(size) };
        const value = {
          before: 'b'.repeat(size),
          get nested() {
            encodeMessageInto(frames, message(inner), strict, limits);
            expected.push(inner);
            try {
              encodeMessageInto(frames, message(new Set()), strict, limits);
            } catch {}
            frames.append(encodeMessage(message('appended'), strict, limits));
            expected.push('appended');
            if (flush) chunks.push(...frames.take());
            return strict.encode(inner).length;
          },
          after: 'a'.repeat(size),
        };
        encodeMessageInto(frames, message(value), strict, limits);
        expected.push({ before: value.before, nested: reference.encode(inner).length, after: value.after });
      }
      chunks.push(...frames.take());
      const batch = Buffer.concat(chunks);
      const found: unknown[] = [];
      for (let at = 0; at < batch.length; ) {
        const end = at + 4 + batch.readUInt32BE(at);
        found.push((reference.decode(batch.subarray(at + 4, end), limits) as unknown[])[2]);
        at = end;
      }
      deepStrictEqual(found, expected);
    }
  });
});

describe('large binary data', () => {
  const limits = defaultFrameLimits;
  test('is copied, unless it was handed over', () => {
    for (const handedOver of [false, true]) {
      const frames = new FrameWriter();
      const payload = Buffer.alloc(50_000, 1);
      const size = encodeMessageInto(
        frames,
        { kind: 'item', id: 2, value: { head: 'h', payload, tail: [1, 2] } },
        strict,
        limits,
        (bytes) => handedOver && bytes === payload,
      );
      const pieces = frames.lastBody();
      const chunks = frames.take();
      expect(chunks.some((chunk) => chunk.buffer === payload.buffer)).toBe(handedOver);
      const batch = Buffer.concat(chunks);
      expect(batch.length).toBe(4 + size);
      expect(Buffer.concat(pieces).equals(batch.subarray(4))).toBe(true);
      deepStrictEqual(reference.decode(batch.subarray(4), limits), [8, 2, { head: 'h', payload: new Uint8Array(payload), tail: [1, 2] }]);
      payload.fill(2);
      expect(Buffer.concat(chunks).includes(Buffer.alloc(100, 2))).toBe(handedOver);
    }
  });
  test('counts towards the limit of the frame', () => {
    const frames = new FrameWriter();
    const value = [new Uint8Array(600_000), new Uint8Array(600_000)];
    const small = { ...limits, maxFrameBytes: 1_000_000 };
    expect(() => encodeMessageInto(frames, { kind: 'item', id: 2, value }, strict, small, () => true)).toThrow(
      expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
    );
    expect(frames.take()).toEqual([]);
  });
  test('of any sizes among other frames comes out as it went in', slow, () => {
    const part = fc
      .oneof(fc.nat(300), fc.integer({ min: 4_000, max: 4_200 }), fc.integer({ min: 0, max: 20_000 }))
      .map((length) => new Uint8Array(length).fill(length));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.array(fc.oneof(part, fc.string({ maxLength: 600 })), { maxLength: 5 }), fc.boolean(), fc.boolean()), { maxLength: 12 }),
        (steps) => {
          const frames = new FrameWriter();
          const chunks: Uint8Array[] = [];
          const bodies: Buffer[] = [];
          for (const [value, handedOver, take] of steps) {
            encodeMessageInto(frames, { kind: 'item', id: 2, value }, strict, limits, () => handedOver);
            bodies.push(Buffer.concat(frames.lastBody()));
            if (take) chunks.push(...frames.take());
          }
          chunks.push(...frames.take());
          const expected = steps.map(([value]) => Buffer.from(encodeMessage({ kind: 'item', id: 2, value }, reference, limits)));
          expect(bodies.map(String)).toEqual(expected.map(String));
          const framed = expected.flatMap((body) => [Buffer.from(Uint32Array.of(body.length).buffer).reverse(), body]);
          expect(Buffer.concat(chunks).equals(Buffer.concat(framed))).toBe(true);
        },
      ),
      { ...propertyOptions, numRuns: Math.ceil(propertyOptions.numRuns / 2) },
    );
  });
});
