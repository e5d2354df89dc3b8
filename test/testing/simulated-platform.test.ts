import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createSimulatedPlatform } from '../../src/testing/simulated-platform.js';

test('sha256 is that of FIPS 180-4, at every length around the block borders', () => {
  const { crypto, random } = createSimulatedPlatform({ seed: 7 });
  expect(Buffer.from(crypto.sha256(new TextEncoder().encode('abc'))).toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
  for (let length = 0; length < 200; length += 1) {
    const data = random.bytes(length);
    expect(Buffer.from(crypto.sha256(data)).toString('hex')).toBe(createHash('sha256').update(data).digest('hex'));
  }
});

test('the same seed gives the same chance, another one another', () => {
  const draw = (seed: number) => createSimulatedPlatform({ seed }).random.bytes(16);
  expect(draw(3)).toEqual(draw(3));
  expect(draw(3)).not.toEqual(draw(4));
});
