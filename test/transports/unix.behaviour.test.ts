import { describe, test } from 'vitest';
import { testTransport } from '../../src/testing/test-transport.js';
import { unixTransport } from '../../transports/unix/index.js';

testTransport('unix', () => unixTransport({ closeTimeoutMs: 300 }), { runner: { describe, test }, address: 'unix:' });
