import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { describe, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { makeCertificate } from '../../examples/tls-transport/certificate.js';
import { testTransport } from '../../src/testing/test-transport.js';
import { fromWebSocket, webSocketTransport } from '../../transports/websocket/index.js';

const runner = { describe, test };
const { cert, key } = makeCertificate();

testTransport('websocket', () => webSocketTransport({ closeTimeoutMs: 300 }), { runner, address: 'ws://127.0.0.1:0/synapse' });

testTransport('websocket over TLS', () => webSocketTransport({ closeTimeoutMs: 300, tls: { cert, key, ca: cert } }), {
  runner,
  address: 'wss://localhost:0/',
});

testTransport(
  'fromWebSocket, over sockets that somebody else opened',
  () => {
    const servers: WebSocketServer[] = [];
    return {
      async open() {
        const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
        servers.push(server);
        await once(server, 'listening');
        let stream: Socket | undefined;
        const right = new Promise<ReturnType<typeof fromWebSocket>>((resolve) =>
          server.on('connection', (socket, request) => {
            stream = request.socket;
            resolve(fromWebSocket(socket, { peer: { description: 'left' }, closeTimeoutMs: 300 }));
          }),
        );
        const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`);
        const left = new Promise<ReturnType<typeof fromWebSocket>>((resolve) =>
          socket.on('open', () => resolve(fromWebSocket(socket, { peer: { description: 'right' }, closeTimeoutMs: 300 }))),
        );
        return { left: await left, right: await right, kill: () => void stream?.destroy() };
      },
      async dispose() {
        for (const server of servers) await new Promise((resolve) => server.close(resolve));
      },
    };
  },
  { runner },
);
