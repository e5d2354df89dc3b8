import { testTransport } from '@synapse/worker-runtime/testing';
import { describe, test } from 'vitest';
import { makeCertificate } from './certificate.js';
import { tlsTransport } from './tls-transport.js';

const { cert, key } = makeCertificate();
testTransport('tls', () => tlsTransport({ cert, key, ca: cert, closeTimeoutMs: 600 }), {
  runner: { describe, test },
  address: 'tls://localhost:0',
});
