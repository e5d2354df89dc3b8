import type { Crypto, Random } from '../../interfaces/platform.js';
import { manifestDigest } from '../../manifest/manifest-digest.js';

const secretBytes = 32;

/** Makes a secret of 256 bits: the prefix, and 64 hexadecimal digits. The prefix says to people and scanners what was leaked. */
export function createSecret(prefix: 'swt_' | 'swr_', random: Random): string {
  return `${prefix}${Array.from(random.bytes(secretBytes), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** What the host keeps of a secret: its SHA-256, 64 hexadecimal digits. */
export function digestOf(text: string, crypto: Crypto): string {
  return manifestDigest(new TextEncoder().encode(text), crypto);
}

/** Compares two digests in a time that does not depend on where they differ. */
export function areEqualDigests(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < left.length; index += 1) difference |= left.charCodeAt(index) ^ (right.charCodeAt(index) || 0);
  return difference === 0;
}
