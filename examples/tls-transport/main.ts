import type { Connection } from '@synapse/worker-runtime/transports/unix';
import { makeCertificate } from './certificate.js';
import { tlsTransport } from './tls-transport.js';

// Two ends of the transport in one process: what one sends the other sends back.
const { cert, key } = makeCertificate();
const transport = tlsTransport({ cert, key, ca: cert });

const listener = await transport.listen('tls://localhost:0', (connection) => {
  connection.start({ onData: (chunk) => void connection.send([chunk]), onWritable() {}, onClose: ({ code }) => console.log('accepted:', code) });
});

const connection: Connection = await transport.dial(listener.address);
await new Promise<void>((resolve) => {
  connection.start({
    onData(chunk) {
      console.log(`from ${connection.peer.description.replace(/\d+$/, 'PORT')}: ${Buffer.from(chunk).subarray(4).toString()}`);
      connection.close({ reason: 'done' });
    },
    onWritable() {},
    onClose({ code }) {
      console.log('dialled:', code);
      resolve();
    },
  });
  const body = Buffer.from('hello over TLS');
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  connection.send([header, body]);
});
await listener.close();
