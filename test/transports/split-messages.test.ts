import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitMessages } from '../../transports/websocket/split-messages.js';

const frame = (length: number): Buffer => {
  const bytes = Buffer.alloc(4 + length, length % 251);
  bytes.writeUInt32BE(length);
  return bytes;
};

/** The lengths of the frames that a message consists of; fails if it is not whole frames. */
function framesOf(message: readonly Uint8Array[]): number[] {
  const bytes = Buffer.concat(message);
  const lengths: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.readUInt32BE(at);
    lengths.push(length);
    at += 4 + length;
  }
  expect(at).toBe(bytes.length);
  return lengths;
}

describe('splitting a batch into WebSocket messages', () => {
  it('leaves a small batch as it is, and makes nothing of nothing', () => {
    const chunks = [frame(10), frame(20)];
    expect(splitMessages(chunks, 100)).toEqual([chunks]);
    expect(splitMessages([], 100)).toEqual([]);
    expect(splitMessages([Buffer.alloc(0)], 100)).toEqual([]);
  });

  it('copies nothing', () => {
    const large = frame(1_000);
    const [message] = splitMessages([large, frame(1)], 100);
    expect(message?.[0]?.buffer).toBe(large.buffer);
  });

  it('keeps every frame whole and in order, with messages no larger than the target and a frame', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 600 }),
        (lengths, cuts, target) => {
          const whole = Buffer.concat(lengths.map(frame));
          const chunks: Uint8Array[] = [];
          for (let at = 0, index = 0; at < whole.length; index += 1) {
            const step = cuts[index % cuts.length]!;
            chunks.push(whole.subarray(at, at + step));
            at += step;
          }
          const messages = splitMessages(chunks, target);
          expect(messages.flatMap(framesOf)).toEqual(lengths);
          for (const message of messages) {
            const last = framesOf(message).at(-1)!;
            expect(Buffer.concat(message).length - last - 4).toBeLessThan(target);
          }
        },
      ),
    );
  });
});
