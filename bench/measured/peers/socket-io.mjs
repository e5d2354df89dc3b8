// WebSocket from the first packet on, without compression; bytes as attachments of their own. ws finds bufferutil by itself.
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { echoClient, echoService } from '../echo-service.mjs';

/** @type {import('../peer.mjs').Peer} */
export const socketIo = {
  serve({ ready }) {
    const server = new Server({
      transports: ['websocket'],
      perMessageDeflate: false,
      httpCompression: false,
      serveClient: false,
      maxHttpBufferSize: 1e8,
    });
    server.on('connection', (socket) => {
      const service = echoService({ notify: (method, value) => socket.emit(method, value) });
      for (const [method, handler] of Object.entries(service.methods)) socket.on(method, (value, answer) => answer(handler(value)));
      for (const [method, handler] of Object.entries(service.notifications)) socket.on(method, handler);
    });
    server.listen(0);
    server.httpServer.on('listening', () => ready(`ws://127.0.0.1:${server.httpServer.address().port}`));
  },
  async connect({ address }) {
    const socket = io(address, { transports: ['websocket'], reconnection: false, forceNew: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
    const client = echoClient({
      call: (method, value = null) => new Promise((resolve) => socket.emit(method, value, resolve)),
      notify: (method, value) => socket.emit(method, value),
      onNotify: (method, handler) => socket.on(method, handler),
    });
    return { ...client, close: () => socket.disconnect() };
  },
};
