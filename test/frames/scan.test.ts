import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { defaultFrameLimits, type FrameLimits, maxSupportedDepth } from '../../src/frames/limits.js';
import { foundBinary, foundLeadingMark, scanValue } from '../../src/frames/scan.js';
import { hex, propertyOptions, slow } from './support.js';

function accepts(bytes: Uint8Array, limits: FrameLimits = defaultFrameLimits): boolean {
  try {
    scanValue(bytes, limits);
    return true;
  } catch (error) {
    if (isWorkerRuntimeError(error, 'PROTOCOL_ERROR')) return false;
    throw error;
  }
}

/** A string value of these bytes, with the shortest header. */
function str(bytes: Uint8Array | readonly number[]): Uint8Array {
  const length = bytes.length;
  const header = length < 32 ? [0xa0 | length] : length < 256 ? [0xd9, length] : [0xda, length >> 8, length & 0xff];
  return Uint8Array.from([...header, ...bytes]);
}

describe('UTF-8', () => {
  test('agrees with Node on every string of one and two bytes', slow, () => {
    for (let first = 0; first < 256; first += 1) {
      expect(accepts(str([first]))).toBe(isUtf8(Uint8Array.of(first)));
      for (let second = 0; second < 256; second += 1) {
        const bytes = Uint8Array.of(first, second);
        if (accepts(str(bytes)) !== isUtf8(bytes)) expect.fail(`differs for ${Buffer.from(bytes).toString('hex')}`);
      }
    }
  });
  test('agrees with Node on strings of four bytes at all borders', () => {
    const leads = [0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff];
    const seconds = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xf0];
    const others = [0x7f, 0x80, 0xbf, 0xc0];
    for (const lead of leads)
      for (const second of seconds)
        for (const third of others)
          for (const fourth of others) {
            const text = Uint8Array.of(lead, second, third, fourth);
            if (accepts(str(text)) !== isUtf8(text)) expect.fail(`differs for ${Buffer.from(text).toString('hex')}`);
          }
  });
  test('agrees with Node wherever the odd bytes stand in a short or long string', slow, () => {
    const piece = fc.oneof(
      { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }).map((text) => Buffer.from(text)) },
      fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
      fc.nat(700).map((count) => Buffer.alloc(count, 'a')),
    );
    let valid = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
        const bytes = Buffer.concat(pieces);
        if (isUtf8(bytes)) valid += 1;
        expect(accepts(str(bytes))).toBe(isUtf8(bytes));
      }),
      { ...propertyOptions, numRuns: propertyOptions.numRuns * 2 },
    );
    expect(valid).toBeGreaterThan(propertyOptions.numRuns / 4);
  });
});

describe('limits', () => {
  const small: FrameLimits = { maxFrameBytes: 1_000, maxDepth: 3, maxElements: 6, maxMapEntries: 2 };
  test('depth', () => {
    expect(accepts(hex('91 91 91 01'), small)).toBe(true);
    expect(accepts(hex('91 91 91 90'), small)).toBe(false);
    expect(accepts(hex('91 91 91 80'), small)).toBe(false);
    expect(accepts(hex('92 91 91 01 91 91 01'), { ...small, maxElements: 7 })).toBe(true);
  });
  test('elements', () => {
    expect(accepts(hex('95 01 02 03 04 05'), small)).toBe(true);
    expect(accepts(hex('96 01 02 03 04 05 06'), small)).toBe(false);
    expect(accepts(hex('92 82 a161 01 a162 02 03'), small)).toBe(false);
    expect(accepts(hex('91 82 a161 01 a162 02'), small)).toBe(true);
  });
  test('entries', () => {
    expect(accepts(hex('83 a161 01 a162 02 a163 03'), { ...small, maxElements: 100 })).toBe(false);
  });
  test('a depth above what is supported is taken for the largest supported', () => {
    const deep = { ...defaultFrameLimits, maxDepth: 1_000_000 };
    expect(accepts(Uint8Array.from([...Array(maxSupportedDepth).fill(0x91), 1]), deep)).toBe(true);
    expect(accepts(Uint8Array.from([...Array(maxSupportedDepth + 1).fill(0x91), 1]), deep)).toBe(false);
  });
});

describe('errors', () => {
  test('say which rule and where, and nothing of the payload', () => {
    expect(() => scanValue(hex('93 00 02 81 01 02'), defaultFrameLimits)).toThrow('map keys must be strings, at byte 4 of its body');
    const secret = Buffer.concat([hex('92 a6'), Buffer.from('secret'), hex('a2 c328')]);
    expect(() => scanValue(secret, defaultFrameLimits)).toThrow(expect.objectContaining({ details: { offset: 9 } }));
    expect(() => scanValue(secret, defaultFrameLimits)).not.toThrow(/secret/);
  });
  test('a refused value leaves nothing behind for the next one', () => {
    expect(accepts(hex('91 92 82 a161'))).toBe(false);
    expect(accepts(hex('92 81 a161 01 02'))).toBe(true);
  });
});

test('reports binary data and leading byte order marks', () => {
  expect(scanValue(hex('92 01 a161'), defaultFrameLimits)).toBe(0);
  expect(scanValue(hex('92 01 c400'), defaultFrameLimits)).toBe(foundBinary);
  expect(scanValue(hex('81 a161 a3efbbbf'), defaultFrameLimits)).toBe(foundLeadingMark);
  expect(scanValue(hex('92 a4 efbbbf61 c500016b'), defaultFrameLimits)).toBe(foundBinary + foundLeadingMark);
});

test('random bytes are accepted or refused, and nothing else', slow, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      accepts(bytes);
    }),
    { ...propertyOptions, numRuns: propertyOptions.numRuns * 5 },
  );
});
