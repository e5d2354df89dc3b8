import { describe, test } from 'vitest';
import { nodePlatform } from '../../src/node/node-platform.js';
import { testTransport } from '../../src/testing/test-transport.js';
import { createMemoryPair, type MemoryPairOptions, memoryTransport } from '../../transports/memory/index.js';

const { clock } = nodePlatform();
const options: MemoryPairOptions = { clock, closeTimeoutMs: 600 };
const runner = { describe, test };

testTransport('memory', () => memoryTransport(options), { runner });

testTransport(
  'memory, whose workers can be killed',
  () => ({
    open() {
      const pair = createMemoryPair(options);
      return { left: pair[0], right: pair[1], kill: () => pair.faults[1].cut({ deliverBytes: 0 }) };
    },
  }),
  { runner },
);

testTransport(
  'memory, cut, delayed and merged',
  () =>
    memoryTransport({
      ...options,
      seed: 7,
      onPair({ faults }) {
        for (const fault of faults) {
          fault.split(4_096);
          fault.merge(true);
          fault.delay({ minMs: 0, maxMs: 1 });
        }
      },
    }),
  { runner },
);

testTransport(
  'memory, where nothing tells that a peer has died',
  () => ({
    capabilities: { detectsPeerDeath: false },
    open() {
      const pair = createMemoryPair(options);
      return {
        left: pair[0],
        right: pair[1],
        kill() {
          for (const fault of pair.faults) fault.fence();
        },
      };
    },
  }),
  { runner },
);
