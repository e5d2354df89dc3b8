import { describe, expect, test } from 'vitest';
import { FrameDecoder } from '../../src/frames/frame-decoder.js';
import { defaultFrameLimits, handshakeFrameBytes } from '../../src/frames/limits.js';
import { scanValue } from '../../src/frames/scan.js';
import { decodeMessage } from '../../src/messages/decode-message.js';
import { encodeMessage } from '../../src/messages/encode-message.js';
import { type Message, messageKinds } from '../../src/messages/message.js';
import { type BytesSpec, readVectors, toBytes, toValue } from './read-vectors.js';
import { codecs } from '../messages/codecs.js';

describe.each(codecs)('%s', (_name, codec) => {
const limits = defaultFrameLimits;
const messages = readVectors('messages');
const values = readVectors('values');
const hostile = readVectors('hostile');

/** undefined members are absent, at every depth, and −0 is 0. */
function normal(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, entry]) => (entry === undefined ? [] : [[key, normal(entry)]])));
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('[wire.golden-vectors] messages.json', () => {
  test.each(messages)('$name', ({ hex, message, ignored, canonical }) => {
    const body = toBytes(hex as BytesSpec);
    const decoded = decodeMessage(body, codec, limits);
    if (ignored) {
      expect(decoded).toBeUndefined();
      return;
    }
    const expected = toValue(message) as Message;
    expect(normal(decoded)).toStrictEqual(expected);
    const encoded = encodeMessage(expected, codec, limits);
    if (canonical) expect(hexOf(encoded)).toBe(hexOf(body));
    expect(normal(decodeMessage(encoded, codec, limits))).toStrictEqual(expected);
  });

  test('every kind has a smallest and a larger form, and most are canonical', () => {
    for (const kind of Object.keys(messageKinds)) {
      const own = messages.filter((vector) => (vector.message as { kind: string } | undefined)?.kind === kind);
      expect(own.length, kind).toBeGreaterThanOrEqual(2);
      expect(own.some((vector) => vector.canonical), kind).toBe(true);
    }
    expect(messages.some((vector) => vector.ignored)).toBe(true);
  });
});

describe('[wire.golden-vectors] values.json', () => {
  test.each(values)('$name', (vector) => {
    const body = toBytes(vector.hex as BytesSpec);
    expect(scanValue(body, limits)).toBeTypeOf('number');
    const decoded = codec.decode(body, limits);
    if (!('value' in vector)) return;
    const expected = toValue(vector.value);
    expect(decoded).toStrictEqual(expected);
    const encoded = codec.encode(expected);
    if (vector.canonical) expect(hexOf(encoded)).toBe(hexOf(body));
    expect(normal(codec.decode(encoded, limits))).toStrictEqual(normal(expected));
  });
});

describe('[wire.hostile-frames] hostile.json', () => {
  test.each(hostile.filter((vector) => vector.layer !== 'frame'))('$layer: $name', ({ hex, layer, error }) => {
    const body = toBytes(hex as BytesSpec);
    // The layer that is said to find it does, and none before it.
    if (layer === 'value') expect(() => scanValue(body, limits)).toThrow(expect.objectContaining({ code: error }));
    else expect(scanValue(body, limits)).toBeTypeOf('number');
    expect(() => decodeMessage(body, codec, limits)).toThrow(expect.objectContaining({ code: error }));
  });

  test.each(hostile.filter((vector) => vector.layer === 'frame'))('frame: $name', ({ frame, phase, before, error }) => {
    const bytes = toBytes(frame as BytesSpec);
    for (const step of [1, bytes.length]) {
      const decoder = new FrameDecoder(phase === 'handshake' ? handshakeFrameBytes : limits.maxFrameBytes);
      let delivered = 0;
      const feed = (): void => {
        for (let at = 0; at < bytes.length; at += step) {
          decoder.push(bytes.subarray(at, at + step), () => {
            delivered += 1;
            return true;
          });
        }
      };
      expect(feed).toThrow(expect.objectContaining({ code: error }));
      expect(delivered).toBe(before ?? 0);
    }
  });
});

test('names are unique within a file, and no entry is without a meaning', () => {
  for (const vectors of [messages, values, hostile]) {
    expect(new Set(vectors.map((vector) => vector.name)).size).toBe(vectors.length);
    expect(vectors.every((vector) => vector.meaning.length > 0)).toBe(true);
  }
});
});
