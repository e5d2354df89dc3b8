import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameDecoder } from '../../src/frames/frame-decoder.js';
import { frameOf, hex, propertyOptions } from './support.js';

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
