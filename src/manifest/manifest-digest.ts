import type { Crypto } from '../interfaces/platform.js';

/**
 * SHA-256 of the raw bytes of a manifest file, 64 lower-case hexadecimal digits: what a worker that dials in says in its
 * hello, and what grants are pinned to. The bytes as they are on disk, byte order mark and comments included.
 */
export function manifestDigest(bytes: Uint8Array, crypto: Crypto): string {
  return [...crypto.sha256(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
