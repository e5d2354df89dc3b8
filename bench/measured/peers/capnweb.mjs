// Calls of a stub; a call whose result nobody asks for is its one-way message, a ReadableStream its stream with flow control.
import { newWebSocketRpcSession, RpcTarget } from 'capnweb';
import { WebSocket, WebSocketServer } from 'ws';
import { dialWebSocket } from '../dial-web-socket.mjs';
import { makeChunk } from '../payload.mjs';

// It compares with constants of the global, which Node 20 lacks.
globalThis.WebSocket ??= WebSocket;

class Echo extends RpcTarget {
  #events = 0;
  #chunk = makeChunk();

  echo(params) {
    return params;
  }
  event(_params) {
    this.#events += 1;
  }
  received() {
    return this.#events;
  }
  chunks() {
    const chunk = this.#chunk;
    return new ReadableStream({ pull: (controller) => controller.enqueue(chunk) });
  }
}

/** @type {import('../peer.mjs').Peer} */
export const capnweb = {
  serve({ ready }) {
    // What a stream that was cut off leaves behind is reported as a rejection that nobody waits for.
    process.on('unhandledRejection', () => {});
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 }, () => ready(`ws://127.0.0.1:${server.address().port}`));
    server.on('connection', (socket) => newWebSocketRpcSession(socket, new Echo()));
  },
  async connect({ address }) {
    const stub = newWebSocketRpcSession(await dialWebSocket(address));
    return {
      call: (params) => stub.echo(params),
      binary: (bytes) => stub.echo(bytes),
      async stream(done) {
        const reader = (await stub.chunks()).getReader();
        let read = 0;
        do read += (await reader.read()).value.byteLength;
        while (!done());
        await reader.cancel();
        return read;
      },
      publish: (event) => stub.event(event)[Symbol.dispose](),
      received: () => stub.received(),
      close: () => stub[Symbol.dispose](),
    };
  },
};
