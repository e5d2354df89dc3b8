import { MessageChannel } from 'node:worker_threads';
import { describe, test } from 'vitest';
import { testTransport } from '../../src/testing/test-transport.js';
import { fromMessagePort } from '../../transports/thread/index.js';

testTransport(
  'thread (fromMessagePort)',
  () => ({
    open() {
      const { port1, port2 } = new MessageChannel();
      return {
        left: fromMessagePort(port1, { peer: { description: 'right' }, closeTimeoutMs: 600 }),
        right: fromMessagePort(port2, { peer: { description: 'left' }, closeTimeoutMs: 600 }),
        // As the end of a thread does.
        kill: () => port2.close(),
      };
    },
  }),
  { runner: { describe, test } },
);
