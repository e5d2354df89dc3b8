import { createServer, Socket } from 'node:net';
import { dialUnix } from '../dial-unix.mjs';

/**
 * A peer whose library takes any byte stream: descriptor 3 (a socket pair, as our workers have it) or a Unix socket.
 * @param {{ serve(stream: Socket): unknown, connect(stream: Socket): import('../peer.mjs').Client | Promise<import('../peer.mjs').Client> }} sides
 * @returns {import('../peer.mjs').Peer}
 */
export function duplexPeer({ serve, connect }) {
  return {
    serve({ transport, path, ready }) {
      if (transport === 'stdio') return serve(new Socket({ fd: 3 }));
      createServer((socket) => {
        socket.on('error', () => socket.destroy());
        serve(socket);
      }).listen({ path, backlog: 4_096 }, () => ready(path));
    },
    async connect({ transport, address, worker }) {
      return connect(transport === 'stdio' ? worker.stdio[3] : await dialUnix(address));
    },
  };
}
