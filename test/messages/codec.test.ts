import { describe, expect, test } from 'vitest';
import { defaultFrameLimits } from '../../src/frames/limits.js';
import { codecs } from './codecs.js';

describe.each(codecs)('%s', (_name, codec) => {
  function roundTrip(value: unknown): unknown {
    return codec.decode(codec.encode(value), defaultFrameLimits);
  }

  describe('encoding', () => {
    test('a body stays as it is, whatever is encoded later', () => {
      const kept: { body: Uint8Array; copy: Uint8Array }[] = [];
      for (let round = 0; round < 3_000; round += 1) {
        const body = codec.encode([0, round, 'x'.repeat(round % 50), round % 300 === 0 ? new Uint8Array(round * 300) : null]);
        kept.push({ body, copy: body.slice() });
      }
      expect(kept.every(({ body, copy }) => Buffer.compare(body, copy) === 0)).toBe(true);
    });
    test('a large value does not make later ones pin large buffers', () => {
      const large = codec.encode(new Uint8Array(3_000_000));
      expect(large.length).toBe(3_000_005);
      expect(codec.encode('x').buffer.byteLength).toBeLessThanOrEqual(64 * 1024);
      expect(roundTrip(['ü'.repeat(100), 1])).toEqual(['ü'.repeat(100), 1]);
    });
    test('a value that fails midway leaves the codec usable', () => {
      const value = {
        a: 1,
        get b(): never {
          throw new Error('no');
        },
      };
      expect(() => codec.encode([value])).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
      expect(roundTrip([1, 2])).toEqual([1, 2]);
    });
    test('a getter that encodes harms nobody', () => {
      const value = {
        a: 1,
        get b() {
          return codec.encode({ inner: true }).length;
        },
        c: 'x',
      };
      expect(roundTrip(value)).toEqual({ a: 1, b: 8, c: 'x' });
    });
  });

  describe('strings', () => {
    test('keep a leading U+FEFF at every length, as values and as keys', () => {
      const mark = '\ufeff';
      for (const length of [0, 1, 28, 29, 30, 60, 61, 62, 63, 64, 65, 100, 250, 252, 253, 256, 300, 65_530, 65_536]) {
        const text = mark + 'a'.repeat(length);
        expect(roundTrip(text)).toBe(text);
        expect(roundTrip([1, { [text]: [text, mark + text, new Date(5), -1.5, 2n ** 60n, -200, new Uint8Array(3)] }, text])).toEqual([
          1,
          { [text]: [text, mark + text, new Date(5), -1.5, 2n ** 60n, -200, new Uint8Array(3)] },
          text,
        ]);
      }
    });
  });

  describe('decoded maps', () => {
    test('have every key as their own, and the usual prototype', () => {
      const map = roundTrip({ constructor: 'x', toString: 1, hasOwnProperty: null }) as object;
      expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
      expect(Object.keys(map)).toEqual(['constructor', 'toString', 'hasOwnProperty']);
      expect(({} as { constructor: unknown }).constructor).toBe(Object);
    });
  });

  describe('decoded binary data', () => {
    test('is a plain Uint8Array with memory of its own', () => {
      const chunk = Buffer.alloc(64 * 1024);
      const body = chunk.subarray(100, 100 + Buffer.from(codec.encode([new Uint8Array([1, 2, 3])])).copy(chunk, 100));
      const [bytes] = codec.decode(body, defaultFrameLimits) as [Uint8Array];
      expect(bytes.constructor).toBe(Uint8Array);
      expect(bytes).toEqual(Uint8Array.of(1, 2, 3));
      expect(bytes.buffer.byteLength).toBe(3);
      chunk.fill(0);
      expect(bytes[0]).toBe(1);
    });
    test('is a view where it is most of a frame in its own buffer, and only there', () => {
      const payload = new Uint8Array(1_000).fill(7);
      const body = new Uint8Array(codec.encode({ small: new Uint8Array([9]), large: payload }));
      const { small, large } = codec.decode(body, defaultFrameLimits) as { small: Uint8Array; large: Uint8Array };
      expect(large.buffer).toBe(body.buffer);
      expect(large.constructor).toBe(Uint8Array);
      expect(small.buffer.byteLength).toBe(1);
      expect(large).toEqual(payload);
    });
  });

  test('the native extractor and eval are out of reach', async () => {
    const module = (await import('msgpackr/index-no-eval')) as unknown as { isNativeAccelerationEnabled: boolean };
    expect(module.isNativeAccelerationEnabled).toBe(false);
  });
});
