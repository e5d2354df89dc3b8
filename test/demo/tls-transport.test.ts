import { expect, test } from 'vitest';
import { makeCertificate } from '../../examples/tls-transport/certificate.js';
import { tlsTransport } from '../../examples/tls-transport/tls-transport.js';
import '../../examples/tls-transport/tls-transport.suite.js';
import { runProgram } from './run-program.js';

const { cert, key } = makeCertificate();

test('the example of a custom transport runs', async () => {
  const { code, stdout, stderr } = await runProgram(['--import', 'tsx', 'examples/tls-transport/main.ts']);
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n').sort()).toEqual(['accepted: PEER_CLOSED', 'dialled: CLOSED', 'from tls://localhost:PORT: hello over TLS']);
  expect(code).toBe(0);
});

test('whom it does not trust it does not dial', async () => {
  const listener = await tlsTransport({ cert, key }).listen('tls://localhost:0', (connection) => connection.close({ abort: true }));
  await expect(tlsTransport({}).dial(listener.address)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  await listener.close();
});
