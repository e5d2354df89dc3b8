import { deepStrictEqual } from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWorkerRuntimeError, type WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { defaultFrameLimits, type FrameLimits } from '../../src/frames/limits.js';
import { scanValue } from '../../src/frames/scan.js';
import { checkValue } from '../../src/messages/check-value.js';
import { anything, normalForm, propertyOptions, sendable, slow, tightLimits } from './arbitrary-values.js';
import { codecs } from './codecs.js';

describe.each(codecs)('%s', (_name, codec) => {
  /** The value stands as the third element of an array, as an item does. */
  const around = 3;

  function checked(value: unknown, limits: FrameLimits = defaultFrameLimits): WorkerRuntimeError | undefined {
    try {
      checkValue(value, 'value', 1, around, limits);
      return undefined;
    } catch (error) {
      if (isWorkerRuntimeError(error, 'INVALID_VALUE') || isWorkerRuntimeError(error, 'FRAME_TOO_LARGE')) return error;
      throw error;
    }
  }

  function scanned(body: Uint8Array, limits: FrameLimits): boolean {
    try {
      scanValue(body, limits);
      return true;
    } catch {
      return false;
    }
  }

  describe('properties', () => {
    test('[wire.sender-refuses] what the check accepts, the scan accepts, and it comes back as it was', slow, () => {
      let accepted = 0;
      let refused = 0;
      fc.assert(
        fc.property(anything, fc.constantFrom(tightLimits, defaultFrameLimits), (value, limits) => {
          if (checked(value, limits) !== undefined) {
            refused += 1;
            return;
          }
          accepted += 1;
          const body = codec.encode([8, 2, value]);
          if (body.length > limits.maxFrameBytes) return;
          // Node's own comparison, since an entry may be called constructor.
          deepStrictEqual(codec.decode(body, limits), [8, 2, normalForm(value)]);
        }),
        { ...propertyOptions, numRuns: propertyOptions.numRuns * 10 },
      );
      // Both answers are tried, or the property would say nothing.
      expect(accepted).toBeGreaterThan(propertyOptions.numRuns);
      expect(refused).toBeGreaterThan(propertyOptions.numRuns);
    });

    test('[wire.values-round-trip] good values are refused exactly where the scan would refuse them for a limit', slow, () => {
      let refused = 0;
      fc.assert(
        fc.property(sendable, (value) => {
          const body = codec.encode([8, 2, value]);
          const wide = { ...tightLimits, maxFrameBytes: 1_000_000 };
          const error = checked(value, wide);
          expect(error === undefined).toBe(scanned(body, wide));
          if (error !== undefined) refused += 1;
          if (checked(value, tightLimits)?.code === 'FRAME_TOO_LARGE') expect(body.length).toBeGreaterThan(tightLimits.maxFrameBytes);
        }),
        { ...propertyOptions, numRuns: propertyOptions.numRuns * 10 },
      );
      expect(refused).toBeGreaterThan(propertyOptions.numRuns / 2);
    });
  });

  describe('what is refused, and what to do about it', () => {
    class Point {}
    test.each<[string, unknown, string]>([
      ['a function', () => 1, 'a function'],
      ['a symbol', Symbol('x'), 'a symbol'],
      ['a Set', new Set(), '[...set]'],
      ['a Map', new Map(), 'Object.fromEntries(map)'],
      ['an Error', new TypeError('x'), 'an Error'],
      ['a RegExp', /x/, 'source'],
      ['a Promise', Promise.resolve(), 'Await'],
      ['an ArrayBuffer', new ArrayBuffer(1), 'new Uint8Array(buffer)'],
      ['a Float32Array', new Float32Array(1), 'view.byteOffset'],
      ['a DataView', new DataView(new ArrayBuffer(1)), 'a DataView'],
      ['a class instance', new Point(), 'an instance of Point'],
      ['a boxed string', Object('x'), 'an instance of String'],
      ['an invalid Date', new Date(Number.NaN), 'an invalid Date'],
      ['a bigint of 65 bits', 2n ** 64n, 'Send a string'],
      ['a bigint below int64', -(2n ** 63n) - 1n, 'Send a string'],
      ['a lone surrogate', 'a\ud83c', 'surrogate'],
      ['a lone surrogate in a key', { 'a\ud83c': 1 }, 'surrogate'],
      ['a proxy that was revoked', revokedProxy(), 'reading it failed'],
      [
        'a getter that throws',
        {
          get x(): never {
            throw new Error('no');
          },
        },
        'reading it failed',
      ],
    ])('%s', (_name, value, repair) => {
      expect(checked(value)).toMatchObject({ code: 'INVALID_VALUE', message: expect.stringContaining(repair) });
      expect(checked({ a: [value] })).toMatchObject({ code: 'INVALID_VALUE', message: expect.stringContaining(repair) });
    });

    test('the path leads to the fault', () => {
      expect(checked({ list: [1, { 'a/b~c': new Set() }] })).toMatchObject({
        message: 'value/list/1/a~1b~0c cannot be sent: it is a Set. Send [...set].',
        details: { path: 'value/list/1/a~1b~0c' },
      });
      expect(checked({ ok: 1, deep: JSON.parse('{"__proto__": {}}') })?.details).toEqual({ path: 'value/deep/__proto__' });
    });

    test('a cycle ends at the depth limit, a self-similar one at the element limit', () => {
      const ring: unknown[] = [];
      ring.push(ring);
      expect(checked(ring)?.message).toContain('within itself');
      const bush: unknown[] = [];
      for (let index = 0; index < 10_000; index += 1) bush.push(bush);
      expect(checked(bush)?.message).toContain('maxElements');
    });

    test('an array that is only announced large is refused before it is read', () => {
      expect(checked(new Array(4_000_000_000))?.message).toContain('maxElements');
    });

    test('a string or binary data over the frame limit is refused before it is encoded', () => {
      const limits = { ...defaultFrameLimits, maxFrameBytes: 1_000 };
      expect(checked('x'.repeat(1_001), limits)).toMatchObject({ code: 'FRAME_TOO_LARGE', details: { limit: 1_000, size: 1_001 } });
      expect(checked([new Uint8Array(600), new Uint8Array(600)], limits)).toMatchObject({
        code: 'FRAME_TOO_LARGE',
        details: { limit: 1_000, size: 1_200 },
      });
      expect(checked('x'.repeat(1_000), limits)).toBeUndefined();
    });
  });

  describe('what is accepted', () => {
    test.each<[string, unknown]>([
      ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
      ['an object of another realm', runInNewContext('({ a: [1, "x"] })')],
      ['a Buffer', Buffer.from('x')],
      ['names of Object.prototype as keys', { constructor: 1, toString: 2, valueOf: null, hasOwnProperty: 'x', toJSON: 3 }],
      ['the smallest and largest integers', [-(2n ** 63n), 2n ** 64n - 1n]],
      ['a hole', new Array(2)],
      ['NaN and infinities', [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    ])('%s', (_name, value) => {
      expect(checked(value)).toBeUndefined();
      deepStrictEqual(codec.decode(codec.encode(value), defaultFrameLimits), normalForm(value));
    });
  });

  function revokedProxy(): object {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }
});
