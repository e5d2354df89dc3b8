import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { FrameDecoder } from '../../src/frames/frame-decoder.js';
import { FrameWriter } from '../../src/frames/frame-writer.js';
import { type Insert, joinInserts } from '../../src/frames/insert.js';
import { defaultFrameLimits, type FrameLimits } from '../../src/frames/limits.js';
import { msgpackrCodec, type ValueCodec } from '../../src/messages/codec.js';
import { decodeMessage, decodeMessagePieces } from '../../src/messages/decode-message.js';
import { encodeMessageInto } from '../../src/messages/encode-message.js';
import type { Message } from '../../src/messages/message.js';
import { strictCodec } from '../../src/messages/strict-codec/strict-codec.js';
import { type BytesSpec, readVectors, toBytes } from '../vectors/read-vectors.js';
import { propertyOptions, sendable, slow, tightLimits } from './arbitrary-values.js';
import { codecs } from './codecs.js';

// Frames in pieces: whatever is made of them is what is made of the same bytes in one piece.

const reference = msgpackrCodec();
const strict = [strictCodec(), strictCodec({ portable: true })] as const;

/** As a session does it. The member is internal, and not in the declarations that tests see. */
function decodePieces(
  codec: ValueCodec,
  bytes: Uint8Array,
  start: number,
  end: number,
  inserts: readonly Insert[],
  limits = defaultFrameLimits,
): unknown {
  return (codec as unknown as { decodePieces(...parameters: unknown[]): unknown }).decodePieces(bytes, start, end, inserts, limits);
}

interface Pieces {
  readonly bytes: Uint8Array;
  readonly inserts: readonly Insert[];
}
type Range = readonly [from: number, to: number];

function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** Takes ranges, in order, out of a body. */
function cutOut(body: Uint8Array, ranges: readonly Range[]): Pieces {
  const inserts: Insert[] = [];
  const rest: Uint8Array[] = [];
  let at = 0;
  let after = 0;
  for (const [from, to] of ranges) {
    rest.push(body.subarray(at, from));
    after += from - at;
    inserts.push({ after, bytes: own(body.subarray(from, to)) });
    at = to;
  }
  rest.push(body.subarray(at));
  return { bytes: own(Buffer.concat(rest)), inserts };
}

/** Where the data of a bin may stand: behind everything that looks like the head of one. Some of it is text, or data itself. */
function payloadsOf(body: Uint8Array): Range[] {
  const ranges: Range[] = [];
  let free = 0;
  for (let at = 0; at < body.length; at += 1) {
    const width = (body[at] as number) - 0xc4;
    if (width < 0 || width > 2) continue;
    const from = at + 1 + (1 << width);
    let length = 0;
    for (let index = at + 1; index < from; index += 1) length = length * 256 + (body[index] ?? 0);
    if (at < free || from + length > body.length) continue;
    ranges.push([from, from + length]);
    free = from + length;
  }
  return ranges;
}

type Outcome = { readonly value: unknown } | { readonly code: string; readonly offset: unknown; readonly message: string };

function outcomeOf(decode: () => unknown): Outcome {
  try {
    return { value: decode() };
  } catch (error) {
    if (isWorkerRuntimeError(error)) return { code: error.code, offset: error.details.offset, message: error.message };
    throw error;
  }
}

function expectAsJoined(pieces: Pieces, limits: FrameLimits): Outcome {
  const body = joinInserts(pieces.bytes, 0, pieces.bytes.length, pieces.inserts);
  const expected = outcomeOf(() => reference.decode(body, limits));
  // Somewhere in a chunk, as a session has it.
  const chunk = Buffer.alloc(pieces.bytes.length + 20, 0xc1);
  chunk.set(pieces.bytes, 7);
  for (const codec of strict) {
    deepStrictEqual(
      outcomeOf(() => decodePieces(codec, chunk, 7, 7 + pieces.bytes.length, pieces.inserts, limits)),
      expected,
    );
    // Nothing is left over of the pieces.
    deepStrictEqual(
      outcomeOf(() => codec.decode(body, limits)),
      expected,
    );
  }
  return expected;
}

describe('[wire.pieces] a body in pieces', () => {
  test('decodes as the body in one, cut at the payloads and everywhere else', slow, () => {
    const withData = fc.tuple(
      sendable,
      fc.uint8Array({ maxLength: 300 }),
      sendable,
      fc.uint8Array({ maxLength: 70 }),
      fc.constantFrom('', '\u00c4\u0001a', 'é'),
    );
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(
        withData,
        fc.constantFrom(tightLimits, defaultFrameLimits),
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.option(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))),
        (value, limits, cuts, change) => {
          const body = own(reference.encode(value));
          if (change !== null) body[change[0] % body.length] = change[1];
          const payloads = payloadsOf(body);
          const anywhere = cuts.map((cut) => cut % (body.length + 1)).sort((one, other) => one - other);
          const ranges: Range[] = [];
          for (let index = 0; index + 1 < anywhere.length; index += 2) ranges.push([anywhere[index] as number, anywhere[index + 1] as number]);
          for (const cut of [payloads, ranges, payloads.filter((_, index) => cuts.includes(index) || index % 2 === 0), payloads.slice(0, 1)]) {
            if ('value' in expectAsJoined(cutOut(body, cut), limits)) accepted += 1;
            else refused += 1;
          }
        },
      ),
      { ...propertyOptions, numRuns: propertyOptions.numRuns * 3 },
    );
    expect(Math.min(accepted, refused)).toBeGreaterThan(50);
  });

  test('[wire.hostile-frames] every vector, cut into two and three pieces all over', slow, () => {
    for (const file of ['messages', 'values', 'hostile'] as const) {
      for (const { hex } of readVectors(file)) {
        if (hex === undefined) continue;
        const body = own(toBytes(hex as BytesSpec));
        expectAsJoined(cutOut(body, payloadsOf(body)), defaultFrameLimits);
        const step = Math.max(1, Math.floor(body.length / (body.length > 2_000 ? 3 : 40)));
        for (let at = 0; at <= body.length; at += step) {
          expectAsJoined(cutOut(body, [[at, body.length]]), defaultFrameLimits);
          expectAsJoined(cutOut(body, [[at, Math.min(at + step, body.length)]]), defaultFrameLimits);
        }
      }
    }
  });

  test.each([
    ['longer than the data', [0x92, 0xc4, 3], [1, 2, 3, 4], [7]],
    ['shorter than the data', [0x92, 0xc4, 5], [1, 2, 3, 4], [7]],
    ['shorter, and what follows makes up for it', [0x92, 0xc4, 5], [1, 2, 3, 4], [9, 7]],
    ['behind the value', [0x91, 1], [1, 2], []],
    ['in the midst of a text', [0xa6, 0x61], [0x62, 0x63, 0x64, 0x65], [0x66]],
    ['all of a text', [0xa4], [0x62, 0x63, 0x64, 0x65], []],
    ['a key', [0x81, 0xa1], [0x62], [7]],
    ['the key __proto__', [0x81, 0xa9], [...Buffer.from('__proto__')], [7]],
    ['a number', [0xcd], [1, 2], []],
    ['elements', [0x93, 1], [2, 3], []],
    ['the length of the data', [0xc5], [0, 1], [9]],
    ['nothing at all', [0x92, 1], [], [2]],
    ['no data of none', [0x92, 0xc4, 0], [], [2]],
    ['data that announces itself in text', [0xa5, 0xc4], [2], [9, 9]],
    ['the whole body', [], [0x92, 1, 2], []],
  ])('with a piece that is no whole data: %s', (_what, before, between, after) => {
    expectAsJoined(
      { bytes: Uint8Array.from([...before, ...after]), inserts: [{ after: before.length, bytes: Uint8Array.from(between) }] },
      defaultFrameLimits,
    );
  });

  test('pieces side by side, and a thousand of them', () => {
    const two = [Uint8Array.of(1, 2), Uint8Array.of(3)];
    expectAsJoined({ bytes: Uint8Array.of(0xc4, 3), inserts: two.map((bytes) => ({ after: 2, bytes })) }, defaultFrameLimits);
    const count = 1_000;
    const bytes = Buffer.concat([Buffer.of(0xdc, count >> 8, count & 255), ...Array.from({ length: count }, () => Buffer.of(0xc4, 2))]);
    const inserts = Array.from({ length: count }, (_, index) => ({ after: 3 + 2 * (index + 1), bytes: Uint8Array.of(index & 255, index >> 8) }));
    const outcome = expectAsJoined({ bytes: own(bytes), inserts }, defaultFrameLimits);
    expect((outcome as { value: unknown[] }).value).toHaveLength(count);
    const values = decodePieces(strict[0], own(bytes), 0, bytes.length, inserts) as Uint8Array[];
    expect(values.every(({ buffer }, index) => buffer === inserts[index]?.bytes.buffer)).toBe(true);
  });

  test('nothing is made of a body of which a piece was taken away meanwhile', () => {
    const gone = own(new Uint8Array(4));
    structuredClone(gone, { transfer: [gone.buffer] });
    const decode = () => decodePieces(strict[0], Uint8Array.of(0xc4, 4), 0, 2, [{ after: 2, bytes: gone }]);
    expect(decode).toThrow(TypeError);
  });

  test('a piece becomes the value as it is, all of its buffer, and plain', () => {
    const data = Buffer.from(new ArrayBuffer(9_000)).fill(5);
    const [value, small] = decodePieces(strict[0], Uint8Array.of(0x92, 0xc5, 9_000 >> 8, 9_000 & 255, 0xc4, 1, 8), 0, 7, [
      { after: 4, bytes: data },
    ]) as Uint8Array[];
    expect(value?.buffer).toBe(data.buffer);
    expect(Object.getPrototypeOf(value)).toBe(Uint8Array.prototype);
    expect(small).toEqual(Uint8Array.of(8));
  });

  test('a piece that is a view is copied: the rest of its buffer is nobody’s business', () => {
    const buffer = new ArrayBuffer(16);
    const [value] = decodePieces(strict[0], Uint8Array.of(0x91, 0xc4, 4), 0, 3, [{ after: 3, bytes: new Uint8Array(buffer, 2, 4) }]) as [Uint8Array];
    expect([value.length, value.buffer.byteLength]).toEqual([4, 4]);
  });
});

describe('[wire.pieces] from the sender’s batch to the receiver’s value', () => {
  const given = new Uint8Array(70_000).map((_, index) => index * 7);
  const message: Message = {
    kind: 'request',
    id: 2,
    method: 'store',
    params: { name: 'é', data: given, more: [given.slice(0, 9_000), given.slice(0, 100)], note: 'x'.repeat(300) },
    flags: undefined,
    deadlineMs: 5_000,
    traceparent: undefined,
    parentId: undefined,
    idempotencyKey: undefined,
    actingFor: undefined,
  };

  function receive(codec: ValueCodec, chunks: readonly Uint8Array[]): Message[] {
    const decoder = new FrameDecoder(defaultFrameLimits.maxFrameBytes);
    const messages: Message[] = [];
    for (const chunk of chunks) {
      decoder.pushPieces(chunk, (bytes, start, end, bodyBytes, inserts) => {
        const whole = joinInserts(bytes, start, end, inserts ?? []);
        expect(whole.length).toBe(bodyBytes);
        const decoded = decodeMessagePieces(bytes, start, end, inserts, codec, defaultFrameLimits);
        deepStrictEqual(decoded, decodeMessage(whole, codec, defaultFrameLimits));
        return messages.push(decoded as Message) > 0;
      });
    }
    expect(decoder.bufferedBytes).toBe(0);
    return messages;
  }

  function batch(): Uint8Array[] {
    const frames = new FrameWriter();
    for (let count = 0; count < 2; count += 1) encodeMessageInto(frames, message, strict[0], defaultFrameLimits, (bytes) => bytes === given);
    return frames.take();
  }

  test('the payloads are the chunks that arrived, with every codec that can', () => {
    for (const [name, codec] of codecs) {
      const chunks = batch().map(own);
      const messages = receive(codec, chunks);
      deepStrictEqual(messages, [message, message]);
      const { data, more } = (messages[0] as { params: { data: Uint8Array; more: Uint8Array[] } }).params;
      const isWhole = (bytes: Uint8Array | undefined): boolean => chunks.some(({ buffer }) => buffer === bytes?.buffer);
      expect([isWhole(data), isWhole(more[0]), isWhole(more[1])]).toEqual(name === 'msgpackr' ? [false, false, false] : [true, true, false]);
    }
  });

  test('[wire.any-split] however the bytes are cut, the same messages arrive', slow, () => {
    const bytes = Buffer.concat(batch());
    const size = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 80_000 }), fc.constantFrom(8_192, 9_000, 70_000));
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 12 }), (sizes) => {
        const chunks: Uint8Array[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const end = at + (sizes[Math.min(turn, sizes.length - 1)] as number);
          chunks.push(own(bytes.subarray(at, end)));
          at = end;
        }
        deepStrictEqual(receive(strict[0], chunks), [message, message]);
      }),
      { ...propertyOptions, numRuns: Math.min(propertyOptions.numRuns, 100) },
    );
  });
});
