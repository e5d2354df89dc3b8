import { describe, test } from 'vitest';
import { testTransport } from '../../src/testing/test-transport.js';
import { fromDuplex } from '../../transports/stdio/index.js';
import { socketPair } from './socket-pair.js';

testTransport(
  'stdio (fromDuplex over a Unix socket)',
  () => {
    const pairs: Awaited<ReturnType<typeof socketPair>>[] = [];
    return {
      async open() {
        const pair = await socketPair();
        pairs.push(pair);
        return {
          left: fromDuplex(pair.left, { peer: { description: 'right' }, closeTimeoutMs: 300 }),
          right: fromDuplex(pair.right, { peer: { description: 'left' }, closeTimeoutMs: 300 }),
          kill: () => void pair.right.destroy(),
        };
      },
      async dispose() {
        for (const pair of pairs) await pair.dispose();
      },
    };
  },
  { runner: { describe, test } },
);
