// The raw limit: the best feature-free echo in plain MessagePack. On sockets frames as bytes, on a WebSocket binary messages of whole frames, on a
// MessagePort posts of transferred buffers.
import { createServer, Socket } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { dialUnix } from '../dial-unix.mjs';
import { echoClient, echoService } from '../echo-service.mjs';
import { decode, encode, FrameBatch, FrameReader, isLarge } from '../frame-batch.mjs';
import { PendingCalls } from '../pending-calls.mjs';

/** @typedef {{ write(pieces: Uint8Array[]): void, onData(reader: FrameReader): void, close(): void }} RawPipe */

/** @param {import('node:net').Socket} socket @returns {RawPipe} */
function socketPipe(socket) {
  socket.setNoDelay?.(true);
  socket.on('error', () => socket.destroy());
  return {
    write(pieces) {
      if (pieces.length === 1) return void socket.write(pieces[0]);
      socket.cork();
      for (const piece of pieces) socket.write(piece);
      socket.uncork();
    },
    onData: (reader) => socket.on('data', (chunk) => reader.push(chunk)),
    close: () => socket.destroy(),
  };
}

/** @param {import('ws').WebSocket} socket @returns {RawPipe} */
function webSocketPipe(socket) {
  socket.on('error', () => socket.terminate());
  socket.binaryType = 'fragments';
  const tcp = /** @type {any} */ (socket)._socket;
  return {
    write(pieces) {
      if (pieces.length === 1) return void socket.send(pieces[0]);
      // One message in two fragments: nothing is copied to bring them together, here or there.
      tcp.cork();
      socket.send(pieces[0], { fin: false, binary: true });
      socket.send(pieces[1], { fin: true, binary: true });
      tcp.uncork();
    },
    onData: (reader) => socket.on('message', ([first, bytes]) => (bytes === undefined ? reader.push(first) : reader.pushEnvelope(first, bytes))),
    close: () => socket.terminate(),
  };
}

/** @param {RawPipe} pipe @param {import('../frame-batch.mjs').Flush} flush @param {(message: any[]) => void} onMessage */
function pipeChannel(pipe, flush, onMessage) {
  const reader = new FrameReader(onMessage);
  pipe.onData(reader);
  const batch = new FrameBatch(flush, pipe.write);
  return { send: (message) => batch.send(message), close: pipe.close };
}

/**
 * Small frames together in one transferred buffer; large bytes transferred beside their envelope.
 * @param {import('node:worker_threads').MessagePort} port @param {import('../frame-batch.mjs').Flush} flush @param {(message: any[]) => void} onMessage
 */
function portChannel(port, flush, onMessage) {
  const reader = new FrameReader(onMessage);
  port.on('message', (value) => {
    if (!Array.isArray(value)) return reader.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    onMessage([...decode(value[0]), value[1]]);
  });
  const batch = new FrameBatch(flush, ([bytes]) => {
    // msgpackr's buffers are views of a pool, which cannot be transferred.
    const own = new Uint8Array(bytes);
    port.postMessage(own, [own.buffer]);
  });
  const send = (message) => {
    const last = message[message.length - 1];
    if (!isLarge(last)) return batch.send(message);
    batch.flush();
    port.postMessage([encode(message.slice(0, -1)), last], [last.buffer]);
  };
  return { send, close() {} };
}

/** @param {(onMessage: (message: any[]) => void) => { send(message: unknown[]): void }} open */
function serveOn(open, handsOver = false) {
  const { send } = open((message) => {
    if (message[0] === 0) send([1, message[1], null, service.methods[message[2]](message[3])]);
    else service.notifications[message[1]](message[2]);
  });
  const service = echoService({ notify: (method, params) => send([2, method, params]), handsOver });
}

/** @param {(onMessage: (message: any[]) => void) => { send(message: unknown[]): void, close(): void }} open */
function clientOn(open) {
  const pending = new PendingCalls();
  const handlers = new Map();
  const { send, close } = open((message) => {
    if (message[0] === 1) pending.settle(message[1], message[3]);
    else handlers.get(message[1])?.(message[2]);
  });
  const client = echoClient({
    call: (method, params) => pending.call((id) => send([0, id, method, params])),
    notify: (method, params) => send([2, method, params]),
    onNotify: (method, handler) => handlers.set(method, handler),
  });
  return { ...client, close };
}

/** @param {import('../frame-batch.mjs').Flush} flush @returns {import('../peer.mjs').Peer} */
export function rawPeer(flush) {
  const onSocket = (socket) => (onMessage) => pipeChannel(socketPipe(socket), flush, onMessage);
  const onWebSocket = (socket) => (onMessage) => pipeChannel(webSocketPipe(socket), flush, onMessage);
  const onPort = (port) => (onMessage) => portChannel(port, flush, onMessage);
  // ws is loaded where it is needed: a start over another transport does not wait for it.
  const serve = {
    stdio: () => serveOn(onSocket(new Socket({ fd: 3 }))),
    thread: () => serveOn(onPort(parentPort), true),
    unix: ({ path, ready }) => createServer((socket) => serveOn(onSocket(socket))).listen({ path, backlog: 4_096 }, () => ready(path)),
    async websocket({ ready }) {
      const { WebSocketServer } = await import('ws');
      const server = new WebSocketServer({ host: '127.0.0.1', port: 0, clientTracking: false, backlog: 4_096 });
      server.on('connection', (socket) => serveOn(onWebSocket(socket)));
      server.on('listening', () => ready(`ws://127.0.0.1:${server.address().port}`));
    },
  };
  const connect = {
    stdio: ({ worker }) => clientOn(onSocket(worker.stdio[3])),
    thread: ({ worker }) => clientOn(onPort(worker)),
    unix: async ({ address }) => clientOn(onSocket(await dialUnix(address))),
    async websocket({ address }) {
      const { dialWebSocket } = await import('../dial-web-socket.mjs');
      return clientOn(onWebSocket(await dialWebSocket(address)));
    },
  };
  return { serve: (context) => serve[context.transport](context), connect: (context) => connect[context.transport](context) };
}
