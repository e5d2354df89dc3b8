import { describe, expect, it } from 'vitest';
import { endsWithinFrame } from '../../transports/websocket/ends-within-frame.js';

const frame = (bytes: number): Buffer => {
  const whole = Buffer.alloc(4 + bytes, 0xff);
  whole.writeUInt32BE(bytes);
  return whole;
};

/** What it is by definition. */
function isCut(message: Buffer): boolean {
  let at = 0;
  while (message.length - at >= 4) at += 4 + message.readUInt32BE(at);
  return message.length === 0 || at !== message.length;
}

/** The message in pieces that end at `cuts`. */
function pieces(message: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts, message.length];
  return ends.map((end, index) => message.subarray(index === 0 ? 0 : ends[index - 1], end));
}

describe('a message', () => {
  const whole = Buffer.concat([frame(1), frame(6), frame(0), frame(300), frame(2)]);

  it('is looked at alike wherever it is cut, and wherever it ends', () => {
    for (let length = 0; length <= whole.length; length += 1) {
      const message = whole.subarray(0, length);
      expect(endsWithinFrame([message])).toBe(isCut(message));
      for (let first = 0; first <= Math.min(length, 30); first += 1)
        for (const second of [first, first + 1, first + 2, first + 5, length].filter((cut) => cut >= first && cut <= length))
          expect(endsWithinFrame(pieces(message, [first, second]))).toBe(isCut(message));
    }
    expect(endsWithinFrame([...whole].map((byte) => Buffer.from([byte])))).toBe(false);
  });

  it('cannot hold a frame of four gigabytes', () => {
    const head = Buffer.from([0xff, 0xff, 0xff, 0xff]);
    expect(endsWithinFrame([head])).toBe(true);
    expect(endsWithinFrame([head, Buffer.alloc(1_000)])).toBe(true);
    expect(endsWithinFrame([...head].map((byte) => Buffer.from([byte])))).toBe(true);
  });

  it('that is empty holds no frame', () => {
    expect([endsWithinFrame([]), endsWithinFrame([Buffer.alloc(0)])]).toEqual([true, true]);
  });
});
