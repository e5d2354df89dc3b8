import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameDecoder } from '../../src/frames/frame-decoder.js';
import { FrameWriter } from '../../src/frames/frame-writer.js';
import { frameOf, hex, propertyOptions } from './support.js';

describe('batches', () => {
  test('small frames leave as one chunk', () => {
    const writer = new FrameWriter();
    writer.append(hex('aa'));
    writer.append(hex('bbcc'));
    expect(writer.frameCount).toBe(2);
    expect(writer.byteLength).toBe(11);
    expect(writer.take().map((chunk) => Buffer.from(chunk).toString('hex'))).toEqual(['00000001aa00000002bbcc']);
    expect(writer.frameCount).toBe(0);
    expect(writer.byteLength).toBe(0);
    expect(writer.take()).toEqual([]);
  });
  test('a body of 4,096 bytes is copied, one of 4,097 passes through', () => {
    const writer = new FrameWriter();
    const small = new Uint8Array(4_096);
    const large = new Uint8Array(4_097);
    writer.append(small);
    writer.append(large);
    writer.append(hex('01'));
    const chunks = writer.take();
    expect(chunks).toContain(large);
    small.fill(1);
    large.fill(2);
    const sent = Buffer.concat(chunks);
    expect(sent.equals(Buffer.concat([frameOf(new Uint8Array(4_096)), frameOf(large), frameOf(hex('01'))]))).toBe(true);
  });
  test('a frame that no receiver could read is a defect here', () => {
    expect(() => new FrameWriter().append(new Uint8Array(0))).toThrow(expect.objectContaining({ code: 'INTERNAL_ERROR' }));
  });
  test('what was handed over is never written again', () => {
    const writer = new FrameWriter();
    const taken: { chunk: Uint8Array; copy: Uint8Array }[] = [];
    for (let round = 0; round < 2_000; round += 1) {
      writer.append(new Uint8Array(1 + (round % 97)).fill(round));
      for (const chunk of writer.take()) taken.push({ chunk, copy: chunk.slice() });
    }
    expect(taken.every(({ chunk, copy }) => Buffer.compare(chunk, copy) === 0)).toBe(true);
  });
  test('whatever is appended and whenever it is taken, the frames come out as they went in', () => {
    const body = fc.oneof(
      { weight: 4, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 300 }) },
      fc.uint8Array({ minLength: 4_000, maxLength: 9_000 }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(body, fc.boolean()), { maxLength: 40 }), (steps) => {
        const writer = new FrameWriter();
        const chunks: Uint8Array[] = [];
        let pending = 0;
        for (const [bytes, take] of steps) {
          writer.append(bytes);
          pending += 4 + bytes.length;
          expect(writer.byteLength).toBe(pending);
          if (take) {
            chunks.push(...writer.take());
            pending = 0;
          }
        }
        chunks.push(...writer.take());
        expect(Buffer.concat(chunks).equals(Buffer.concat(steps.map(([bytes]) => frameOf(bytes))))).toBe(true);
        const decoded: Uint8Array[] = [];
        const decoder = new FrameDecoder(10_000);
        for (const chunk of chunks) decoder.push(chunk, (frame) => decoded.push(frame) > 0);
        expect(decoded).toHaveLength(steps.length);
      }),
      propertyOptions,
    );
  });
});
