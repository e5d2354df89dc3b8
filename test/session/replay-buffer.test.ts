import { expect, test } from 'vitest';
import { ReplayBuffer } from '../../src/session/replay-buffer.js';

test('[session.resume] a body in pieces is kept where it lies, and sent again as one', () => {
  const replay = new ReplayBuffer(1_000);
  const pieces = [Uint8Array.of(1, 2), Uint8Array.of(3), Uint8Array.of(4, 5)];
  replay.push(pieces);
  replay.push([Uint8Array.of(6)]);
  expect([...replay.bodies()]).toEqual([Uint8Array.of(1, 2, 3, 4, 5), Uint8Array.of(6)]);
  expect(replay.bytes).toBe(6 + 2 * 128);
  replay.trim(1);
  expect([...replay.bodies()]).toEqual([Uint8Array.of(6)]);
  expect(replay.has(0)).toBe(false);
  expect(replay.has(1)).toBe(true);
});
