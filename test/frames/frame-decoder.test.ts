import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameDecoder } from '../../src/frames/frame-decoder.js';
import { joinInserts } from '../../src/frames/insert.js';
import { frameOf, hex, propertyOptions, slow } from './support.js';

/** Feeds the chunks; the bodies as hex. */
function feed(decoder: FrameDecoder, ...chunks: readonly Uint8Array[]): string[] {
  const bodies: string[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk, (body) => {
      bodies.push(Buffer.from(body).toString('hex'));
      return true;
    });
  }
  return bodies;
}

const protocolError = expect.objectContaining({ name: 'WorkerRuntimeError', code: 'PROTOCOL_ERROR' });

describe('cutting', () => {
  test('one frame in one chunk', () => {
    expect(feed(new FrameDecoder(10), hex('00000003 010203'))).toEqual(['010203']);
  });
  test('two frames and the header of a third', () => {
    const decoder = new FrameDecoder(10);
    expect(feed(decoder, hex('00000001 aa 00000002 bbcc 0000'))).toEqual(['aa', 'bbcc']);
    expect(decoder.bufferedBytes).toBe(2);
    expect(feed(decoder, hex('0001 dd'))).toEqual(['dd']);
    expect(decoder.bufferedBytes).toBe(0);
  });
  test('the header is cut', () => {
    expect(feed(new FrameDecoder(10), hex('00'), hex('0000'), hex('02aa'), hex('bb'))).toEqual(['aabb']);
  });
  test('the body is cut, and the next frame begins in the same chunk', () => {
    const decoder = new FrameDecoder(10);
    expect(feed(decoder, hex('00000004 0102'))).toEqual([]);
    expect(decoder.bufferedBytes).toBe(6);
    expect(feed(decoder, hex('0304 00000001 05'))).toEqual(['01020304', '05']);
  });
  test('empty chunks change nothing', () => {
    expect(feed(new FrameDecoder(10), hex(''), hex('00000001'), hex(''), hex('07'), hex(''))).toEqual(['07']);
  });
  test('a body within one chunk is a view of it, another one is a copy of exactly its size', () => {
    const chunk = hex('00000001 aa 00000002 bb');
    const bodies: Uint8Array[] = [];
    const decoder = new FrameDecoder(10);
    const keep = (body: Uint8Array): boolean => bodies.push(body) > 0;
    decoder.push(chunk, keep);
    decoder.push(hex('cc'), keep);
    expect(bodies[0]?.buffer).toBe(chunk.buffer);
    expect(bodies[1]?.buffer.byteLength).toBe(2);
  });
  test('[wire.any-split] however the bytes are cut, the same frames come out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 5_000 }), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1 }),
        (bodies, sizes) => {
          const stream = Buffer.concat(bodies.map(frameOf));
          const chunks: Uint8Array[] = [];
          for (let at = 0, turn = 0; at < stream.length; turn += 1) {
            const size = sizes[turn % sizes.length] as number;
            chunks.push(stream.subarray(at, at + size));
            at += size;
          }
          expect(feed(new FrameDecoder(5_000), ...chunks)).toEqual(bodies.map((body) => Buffer.from(body).toString('hex')));
        },
      ),
      propertyOptions,
    );
  });
});

describe('limits', () => {
  test('a length at the limit passes, one above it does not', () => {
    expect(feed(new FrameDecoder(3), hex('00000003 010203'))).toEqual(['010203']);
    expect(() => feed(new FrameDecoder(3), hex('00000004'))).toThrow(protocolError);
  });
  test('a length of 0', () => {
    expect(() => feed(new FrameDecoder(3), hex('00000000'))).toThrow('length of 0');
  });
  test('lengths that look negative as 32-bit integers', () => {
    expect(() => feed(new FrameDecoder(3), hex('ffffffff'))).toThrow('4294967295');
    expect(() => feed(new FrameDecoder(3), hex('80000001'))).toThrow('2147483649');
  });
  test('frames before the bad one are handed over, and every later push fails', () => {
    const decoder = new FrameDecoder(3);
    const bodies: Uint8Array[] = [];
    const push = (text: string) => () => decoder.push(hex(text), (body) => bodies.push(body) > 0);
    expect(push('00000001 aa 00000009')).toThrow(protocolError);
    expect(bodies).toHaveLength(1);
    expect(push('00000001 bb')).toThrow(protocolError);
    expect(push('')).toThrow(protocolError);
    expect(bodies).toHaveLength(1);
  });
  test('the limit may be raised by the receiver of a frame, for the next frame of the same chunk', () => {
    const decoder = new FrameDecoder(1);
    const bodies: number[] = [];
    decoder.push(hex('00000001 aa 00000002 bbcc'), (body) => {
      decoder.maxFrameBytes = 2;
      return bodies.push(body.length) > 0;
    });
    expect(bodies).toEqual([1, 2]);
  });
  test('[wire.memory-follows-bytes] memory follows the bytes that arrive, not those that are announced', () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 1_000 }, () => new FrameDecoder(4 * 1024 * 1024));
    for (const decoder of decoders) feed(decoder, hex('00400000 0102030405'));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
    expect(decoders.every((decoder) => decoder.bufferedBytes === 9)).toBe(true);
  });
  test('a large frame that arrives byte by byte takes linear time', { timeout: 10_000 }, () => {
    const length = 1024 * 1024;
    const decoder = new FrameDecoder(length);
    const frame = frameOf(new Uint8Array(length).fill(7));
    let got: Uint8Array | undefined;
    for (let at = 0; at < frame.length; at += 1) {
      decoder.push(frame.subarray(at, at + 1), (body) => {
        got = body;
        return true;
      });
    }
    expect(got?.length).toBe(length);
    expect(got?.every((byte) => byte === 7)).toBe(true);
  });
});

describe('[wire.pieces] payloads that arrive apart', () => {
  /** The frame of an array of one bin, but for its data; 0x93 and what follows are the business of codecs. */
  const head = (length: number): Uint8Array => frameHead([0x93, 7, 0xc6, 0, length >>> 16, (length >>> 8) & 255, length & 255], length + 1);
  function frameHead(begin: readonly number[], more: number): Uint8Array {
    const size = begin.length + more;
    return Uint8Array.of(size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255, ...begin);
  }
  /** For each frame: its kept chunks, and all of it. */
  function take(decoder: FrameDecoder, ...chunks: readonly Uint8Array[]): { kept: number[]; body: Uint8Array }[] {
    const frames: { kept: number[]; body: Uint8Array }[] = [];
    for (const chunk of chunks) {
      decoder.pushPieces(chunk, (bytes, start, end, bodyBytes, inserts) => {
        const body = joinInserts(bytes, start, end, inserts ?? []);
        expect(body.length).toBe(bodyBytes);
        return frames.push({ kept: (inserts ?? []).map((insert) => insert.bytes.length), body }) > 0;
      });
    }
    return frames;
  }
  const data = (length: number): Uint8Array => new Uint8Array(length).fill(9);
  const limit = 1024 * 1024;

  test('are kept, and frames go on behind them in the same chunk', () => {
    const decoder = new FrameDecoder(limit);
    const frames = take(decoder, head(8_192), data(8_192), Uint8Array.of(1, ...head(10_000)));
    expect(frames.map(({ kept }) => kept)).toEqual([[8_192]]);
    expect(decoder.bufferedBytes).toBe(4 + 7);
    expect(take(decoder, data(10_000)).length).toBe(0);
    expect(decoder.bufferedBytes).toBe(4 + 7 + 10_000);
    const [last] = take(decoder, Uint8Array.of(1));
    expect([last?.body.length, decoder.bufferedBytes]).toEqual([10_008, 0]);
  });
  test('may be the end of their frame, have short heads, and be many', () => {
    const two = frameHead([0x92, 0xc5, 0x20, 0x00], 8_192 + 3 + 9_000);
    const frames = take(new FrameDecoder(limit), two, data(8_192), Uint8Array.of(0xc5, 9_000 >> 8), Uint8Array.of(9_000 & 255), data(9_000));
    expect(frames.map(({ kept, body }) => [...kept, body.length])).toEqual([[8_192, 9_000, 4 + 8_192 + 3 + 9_000]]);
  });
  test.each<[string, Uint8Array[]]>([
    ['small', [head(8_191), data(8_191), data(1)]],
    ['a part of a buffer', [head(9_000), data(9_001).subarray(1), data(1)]],
    ['longer than announced', [head(9_000), data(9_001)]],
    ['shorter than announced', [head(9_000), data(8_500), data(501)]],
    ['not at the head of the bin', [head(9_000), data(1), data(9_000)]],
    ['behind no bin', [frameHead([0x93, 7, 0xdb, 0, 0, 9_000 >> 8, 9_000 & 255], 9_001), data(9_000), data(1)]],
    ['behind data that ends like the head of a bin', [head(8_192), Uint8Array.from([...data(8_187), 0xc6, 0, 0, 0x20, 0]), data(1)]],
    ['at the beginning of a frame', [Uint8Array.of(0, 0, 0x20, 0), data(8_192)]],
  ])('are gathered where they are: %s', (what, chunks) => {
    const stream = Buffer.concat(chunks);
    const [frame] = take(new FrameDecoder(limit), ...chunks);
    // What looks like a head inside of data is no head of the frame's own bytes.
    expect(frame?.kept).toEqual(what.startsWith('behind data') ? [8_192] : []);
    expect(Buffer.compare(frame?.body as Uint8Array, stream.subarray(4))).toBe(0);
  });
  test('are brought together for a receiver that takes no pieces', () => {
    const chunks = [head(9_000), data(9_000), data(1)];
    expect(feed(new FrameDecoder(limit), ...chunks)).toEqual([Buffer.concat(chunks).subarray(4).toString('hex')]);
    const decoder = new FrameDecoder(limit);
    expect(take(decoder, ...chunks.slice(0, 2))).toEqual([]);
    expect(feed(decoder, ...chunks.slice(2))).toEqual([Buffer.concat(chunks).subarray(4).toString('hex')]);
  });
  test('[wire.memory-follows-bytes] hold no more memory than has arrived, however many there are', () => {
    const announced = 64 * 1024 * 1024;
    const decoder = new FrameDecoder(announced);
    const header = Buffer.alloc(4);
    header.writeUInt32BE(announced);
    const before = process.memoryUsage().arrayBuffers;
    let arrived = 0;
    const push = (chunk: Uint8Array): void => {
      arrived += chunk.length;
      decoder.pushPieces(chunk, () => true);
    };
    push(header);
    for (let count = 0; count < 2_000; count += 1) {
      push(Uint8Array.of(0xc5, 0x20, 0x00));
      push(data(8_192));
    }
    expect(decoder.bufferedBytes).toBe(arrived);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(arrived * 1.5);
  });
  test('[wire.any-split] however heads and payloads are cut, the same bodies come out', slow, () => {
    const part = fc.oneof(
      fc.integer({ min: 8_192, max: 20_000 }).map((length) => [0xc5, length >> 8, length & 255, length]),
      fc.tuple(fc.integer({ min: 0, max: 255 })),
    );
    let kept = 0;
    fc.assert(
      fc.property(
        fc.array(fc.array(part, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat(), { maxLength: 5 }),
        (frames, cuts) => {
          const chunks: Uint8Array[] = [];
          const bodies: string[] = [];
          for (const parts of frames) {
            const pieces = parts.flatMap((piece) =>
              piece.length === 1 ? [Uint8Array.from(piece)] : [Uint8Array.from(piece.slice(0, 3)), data(piece[3] as number)],
            );
            const body = Buffer.concat(pieces);
            const header = Buffer.alloc(4);
            header.writeUInt32BE(body.length);
            chunks.push(new Uint8Array(header), ...pieces);
            bodies.push(body.toString('hex'));
          }
          for (const cut of cuts) {
            const index = cut % chunks.length;
            const chunk = chunks[index] as Uint8Array;
            const at = cut % (chunk.length + 1);
            chunks.splice(index, 1, chunk.slice(0, at), chunk.slice(at));
          }
          const taken = take(new FrameDecoder(limit), ...chunks);
          expect(taken.map(({ body }) => Buffer.from(body).toString('hex'))).toEqual(bodies);
          for (const frame of taken) kept += frame.kept.length;
        },
      ),
      propertyOptions,
    );
    expect(kept).toBeGreaterThan(100);
  });
});

describe('stopping', () => {
  test('false from the receiver drops the rest of the chunk and all that follows', () => {
    const decoder = new FrameDecoder(10);
    const bodies: number[] = [];
    const once = (body: Uint8Array): boolean => {
      bodies.push(body[0] as number);
      return false;
    };
    decoder.push(hex('00000001 01 00000001 02 00000000'), once);
    decoder.push(hex('00000001 03'), once);
    expect(bodies).toEqual([1]);
  });
  test('what the receiver throws passes through, once', () => {
    const decoder = new FrameDecoder(10);
    let calls = 0;
    const fail = (): boolean => {
      calls += 1;
      throw new Error('not today');
    };
    expect(() => decoder.push(hex('00000001 01 00000001 02'), fail)).toThrow('not today');
    decoder.push(hex('00000001 03'), fail);
    expect(calls).toBe(1);
  });
  test('bytes pushed by the receiver of a frame would be out of order', () => {
    const decoder = new FrameDecoder(10);
    const push = (): void =>
      decoder.push(hex('00000001 01'), () => {
        push();
        return true;
      });
    expect(push).toThrow(expect.objectContaining({ code: 'INTERNAL_ERROR' }));
  });
});
