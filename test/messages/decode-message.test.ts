import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { FrameDecoder } from '../../src/frames/frame-decoder.js';
import { defaultFrameLimits } from '../../src/frames/limits.js';
import { decodeMessage } from '../../src/messages/decode-message.js';
import { encodeMessage } from '../../src/messages/encode-message.js';
import type { Message } from '../../src/messages/message.js';
import { frameOf, hex } from '../frames/support.js';
import { readVectors, toBytes } from '../vectors/read-vectors.js';
import { propertyOptions, slow } from './arbitrary-values.js';
import { codecs } from './codecs.js';

describe.each(codecs)('%s', (_name, codec) => {
  function decode(body: Uint8Array): Message | undefined {
    return decodeMessage(body, codec, defaultFrameLimits);
  }

  /** Runs `action`; whether it ended well. Anything but a PROTOCOL_ERROR passes through and fails the test. */
  function succeeds(action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      if (isWorkerRuntimeError(error, 'PROTOCOL_ERROR')) return false;
      throw error;
    }
  }

  /** Small bodies of the vectors, to mutate. */
  function smallBodies(file: 'messages' | 'hostile'): Uint8Array[] {
    return readVectors(file)
      .flatMap((vector) => (vector.hex === undefined ? [] : [toBytes(vector.hex)]))
      .filter((body) => body.length < 300);
  }

  /** A body of the corpus with a few changes: bytes set, taken out, put in, doubled, or the end cut off. */
  const mutated = fc
    .tuple(
      fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...smallBodies('messages')) }, fc.constantFrom(...smallBodies('hostile'))),
      fc.array(
        fc.tuple(
          fc.constantFrom('set', 'set', 'set', 'set', 'remove', 'insert', 'double', 'cut'),
          fc.nat(),
          fc.oneof(fc.nat(255), fc.constantFrom(0x80, 0x90, 0xc0, 0xc1, 0xc4, 0xc7, 0xcb, 0xcf, 0xd4, 0xd6, 0xd9, 0xdd, 0xdf, 0xff)),
        ),
        {
          minLength: 1,
          maxLength: 2,
        },
      ),
    )
    .map(([body, changes]) => {
      let bytes = Buffer.from(body);
      for (const [change, where, byte] of changes) {
        const at = where % (bytes.length + 1);
        const head = bytes.subarray(0, at);
        if (change === 'set' && at < bytes.length) bytes[at] = byte;
        else if (change === 'remove') bytes = Buffer.concat([head, bytes.subarray(at + 1)]);
        else if (change === 'insert') bytes = Buffer.concat([head, Buffer.of(byte), bytes.subarray(at)]);
        else if (change === 'double') bytes = Buffer.concat([head, bytes.subarray(at), bytes.subarray(at)]);
        else if (change === 'cut') bytes = Buffer.from(head);
      }
      return new Uint8Array(bytes);
    });

  describe('[wire.never-crashes] fuzzing', () => {
    test('random bytes are a message or a protocol error', slow, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
          succeeds(() => decode(bytes));
        }),
        { ...propertyOptions, numRuns: propertyOptions.numRuns * 10 },
      );
    });

    test('a changed message is a message that can be sent again, or a protocol error', slow, () => {
      let good = 0;
      let bad = 0;
      fc.assert(
        fc.property(mutated, (bytes) => {
          let message: Message | undefined;
          if (!succeeds(() => (message = decode(bytes)))) bad += 1;
          if (message === undefined) return;
          good += 1;
          // What was accepted is within the sender's rules too, and means the same on the second trip.
          expect(decode(encodeMessage(message, codec, defaultFrameLimits))).toEqual(message);
        }),
        { ...propertyOptions, numRuns: propertyOptions.numRuns * 10 },
      );
      expect(good).toBeGreaterThan(propertyOptions.numRuns / 2);
      expect(bad).toBeGreaterThan(propertyOptions.numRuns);
    });

    test('a stream of changed frames, cut anywhere, ends in messages or a protocol error', slow, () => {
      fc.assert(
        fc.property(
          fc.array(mutated, { maxLength: 5 }),
          fc.uint8Array({ maxLength: 8 }),
          fc.integer({ min: 1, max: 64 }),
          (bodies, garbage, step) => {
            const stream = Buffer.concat([...bodies.filter((body) => body.length > 0).map(frameOf), garbage]);
            const decoder = new FrameDecoder(defaultFrameLimits.maxFrameBytes);
            succeeds(() => {
              for (let at = 0; at < stream.length; at += step) {
                decoder.push(stream.subarray(at, at + step), (body) => {
                  decode(body);
                  return true;
                });
              }
            });
            expect(decoder.bufferedBytes).toBeLessThanOrEqual(stream.length);
          },
        ),
        propertyOptions,
      );
    });
  });

  describe('[wire.limits-before-decoding] hostile values', () => {
    test('that announce much cost nothing', { timeout: 3_000 }, () => {
      const before = process.memoryUsage();
      for (const body of [
        hex('ddffffffff'),
        hex('dfffffffff'),
        hex('dbffffffff'),
        hex('c6ffffffff'),
        hex(`94 00 02 a178 ${'dd7fffffff'.repeat(30)}`),
      ]) {
        for (let round = 0; round < 200; round += 1) expect(succeeds(() => decode(body))).toBe(false);
      }
      const after = process.memoryUsage();
      expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(4 * 1024 * 1024);
    });
    test('that nest a million deep do not exhaust the stack', () => {
      expect(succeeds(() => decode(new Uint8Array(1_000_000).fill(0x91)))).toBe(false);
      expect(succeeds(() => decode(new Uint8Array(Buffer.from('81a161'.repeat(300_000), 'hex'))))).toBe(false);
    });
    test('that carry what msgpackr would act on are refused before it sees them', () => {
      // A record definition, then a use of it; a Set; an Error; a typed array; a pointer.
      for (const digits of ['92 d47240 91a161 01 40', 'd47300 9101', 'd46500 93a154a16dc0', 'c7097406 0000000000000000', 'd67000000001']) {
        expect(succeeds(() => decode(hex(`94 00 02 a178 ${digits}`)))).toBe(false);
      }
      expect(decode(hex('93 08 02 40'))).toEqual({ kind: 'item', id: 2, value: 64 });
    });
  });

  describe('errors', () => {
    test('name kind and field, and nothing that was sent', () => {
      const body = codec.encode([0, 2, 'x', { secret: 'hunter2' }, 'hunter2']);
      expect(() => decode(body)).toThrow(
        expect.objectContaining({
          code: 'PROTOCOL_ERROR',
          message: 'The message is not acceptable: request.flags must be an integer from 0 to 255.',
          details: { kind: 'request', field: 'flags' },
        }),
      );
    });
    test('[wire.unknown-kinds] name the kind that is unknown', () => {
      expect(() => decode(hex('92 10 01'))).toThrow('the kind 16 is unknown');
      expect(decode(hex('92 40 01'))).toBeUndefined();
      expect(decode(hex('97 0b 07 01 02 03 04 05'))).toEqual({ kind: 'ping', nonce: 7 });
    });
  });

  test('an id that is a float of minus zero is 0', () => {
    expect(decode(hex('93 0a cb8000000000000000 01'))).toStrictEqual({ kind: 'credit', id: 0, bytes: 1 });
  });

  test('only one file imports msgpackr', () => {
    const importers = ['codec', 'check-value', 'encode-message', 'decode-message', 'separate-binary', 'leading-marks'].filter((name) =>
      /from 'msgpackr/.test(readFileSync(new URL(`../../src/messages/${name}.ts`, import.meta.url), 'utf8')),
    );
    expect(importers).toEqual(['codec']);
  });
});
