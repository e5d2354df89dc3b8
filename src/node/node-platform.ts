import { createHash } from 'node:crypto';
import type { Crypto, Platform } from '../interfaces/platform.js';
import { nodeClock } from './node-clock.js';
import { nodeRandom } from './node-random.js';

const nodeCrypto: Crypto = {
  sha256: (data) => createHash('sha256').update(data).digest(),
};

/** The platform of a Node process: its timers, its clocks, and node:crypto. Each call returns one with queues and buffers of its own. */
export function nodePlatform(): Platform {
  return { clock: nodeClock(), random: nodeRandom(), crypto: nodeCrypto };
}
