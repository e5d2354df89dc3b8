import { randomFillSync } from 'node:crypto';
import type { Random } from '../interfaces/platform.js';

const poolBytes = 4_096;

/**
 * Strong bytes from node:crypto, drawn in batches of 4 KiB, since a draw of its own costs some microseconds however short it is.
 * What is handed out is copied and wiped from the pool: a caller that passes its bytes on never passes on a view of what comes next.
 */
export function nodeRandom(): Random {
  const pool = new Uint8Array(poolBytes);
  let used = poolBytes;
  return {
    bytes(length) {
      if (length > poolBytes / 4) return randomFillSync(new Uint8Array(length));
      if (used + length > poolBytes) {
        randomFillSync(pool);
        used = 0;
      }
      const bytes = pool.slice(used, used + length);
      pool.fill(0, used, used + length);
      used += length;
      return bytes;
    },
    fraction: () => Math.random(),
  };
}
