// grpc-js over a Unix socket. Bodies are MessagePack by msgpackr or plain bytes, which is no slower than protobuf; large flow-control windows.
import grpc from '@grpc/grpc-js';
import { decode, encode } from '../frame-batch.mjs';
import { chunkBytes, makeChunk } from '../payload.mjs';
import { PendingCalls } from '../pending-calls.mjs';

const value = { serialize: (body) => Buffer.from(encode(body).buffer), deserialize: decode };
const bytes = { serialize: (body) => Buffer.from(body.buffer, body.byteOffset, body.byteLength), deserialize: (body) => body };

const method = (name, { serialize, deserialize }, requestStream = false, responseStream = false) => ({
  path: `/bench.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
});
const definition = {
  echo: method('echo', value),
  binary: method('binary', bytes),
  received: method('received', value),
  echoes: method('echoes', value, true, true),
  binaries: method('binaries', bytes, true, true),
  events: method('events', value, true, false),
  chunks: method('chunks', bytes, false, true),
};
const windowBytes = 16 * 1024 * 1024;
const options = { 'grpc-node.flow_control_window': windowBytes, 'grpc.max_receive_message_length': -1 };
const EchoClient = grpc.makeGenericClientConstructor(definition, 'bench.Echo');

function serve({ path, ready }) {
  const server = new grpc.Server(options);
  const chunk = makeChunk();
  let events = 0;
  server.addService(definition, {
    echo: (call, answer) => answer(null, call.request),
    binary: (call, answer) => answer(null, call.request),
    received: (_call, answer) => answer(null, events),
    echoes: (call) => call.on('data', (body) => call.write(body)).on('end', () => call.end()),
    binaries: (call) => call.on('data', (body) => call.write(body)).on('end', () => call.end()),
    events: (call, answer) =>
      call
        .on('data', () => {
          events += 1;
        })
        .on('end', () => answer(null, events)),
    chunks(call) {
      let over = false;
      const pump = () => {
        while (!over && call.write(chunk));
      };
      call.on('drain', pump).on('cancelled', () => {
        over = true;
      });
      pump();
    },
  });
  server.bindAsync(`unix:${path}`, grpc.ServerCredentials.createInsecure(), (error) => {
    if (error !== null) throw error;
    ready(`unix:${path}`);
  });
}

function clientOf(address) {
  return new EchoClient(address, grpc.credentials.createInsecure(), { ...options, 'grpc.use_local_subchannel_pool': 1 });
}

function unary(client, name, body) {
  return new Promise((resolve, reject) => client[name](body, (error, answer) => (error === null ? resolve(answer) : reject(error))));
}

/** What ends with a cancel or with the client says so by an error. */
const expectEnd = (call) => call.on('error', () => {});

/** A call for each echo. @type {import('../peer.mjs').Peer} */
export const grpcUnary = {
  serve,
  async connect({ address }) {
    const client = clientOf(address);
    return {
      call: (params) => unary(client, 'echo', params),
      binary: (body) => unary(client, 'binary', body),
      close: () => client.close(),
    };
  },
};

/** Echoes as messages of a bidirectional stream; items of a server's stream; events as messages of a client's stream. @type {import('../peer.mjs').Peer} */
export const grpcBidi = {
  serve,
  async connect({ address }) {
    const client = clientOf(address);
    const pending = new PendingCalls();
    const echoes = expectEnd(client.echoes()).on('data', ([id, body]) => pending.settle(id, body));
    let binaries;
    const waiting = [];
    let events;
    return {
      call: (params) => pending.call((id) => echoes.write([id, params])),
      // In order, so that no id is needed.
      binary: (body) =>
        new Promise((resolve) => {
          binaries ??= expectEnd(client.binaries()).on('data', (answer) => waiting.shift()(answer));
          waiting.push(resolve);
          binaries.write(body);
        }),
      stream: (done) =>
        new Promise((resolve, reject) => {
          const chunks = expectEnd(client.chunks(Buffer.alloc(0)));
          let read = 0;
          chunks.on('data', (chunk) => {
            if (chunk.byteLength !== chunkBytes) reject(new Error(`A chunk of ${chunk.byteLength} bytes.`));
            read += chunk.byteLength;
            if (done()) chunks.cancel();
          });
          chunks.on('end', () => resolve(read));
          chunks.on('error', () => resolve(read));
        }),
      publish(event) {
        events ??= expectEnd(client.events(() => {}));
        events.write(event);
      },
      received: () => unary(client, 'received', {}),
      close() {
        echoes.cancel();
        binaries?.cancel();
        events?.cancel();
        client.close();
      },
    };
  },
};
