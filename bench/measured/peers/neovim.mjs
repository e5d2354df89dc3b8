// MessagePack-RPC by the transport of neovim's client, which is the same on both sides.
import transport from 'neovim/lib/utils/transport.js';
import { echoClient, echoService } from '../echo-service.mjs';
import { duplexPeer } from './duplex.mjs';

export const neovim = duplexPeer({
  serve(stream) {
    const rpc = new transport.Transport();
    const service = echoService({ notify: (method, params) => rpc.notify(method, [params]) });
    rpc.on('request', (method, [params], response) => response.send(service.methods[method](params)));
    rpc.on('notification', (method, [params]) => service.notifications[method](params));
    rpc.attach(stream, stream);
  },
  connect(stream) {
    const rpc = new transport.Transport();
    const handlers = new Map();
    rpc.on('notification', (method, [params]) => handlers.get(method)?.(params));
    rpc.attach(stream, stream);
    const client = echoClient({
      call: (method, params = null) =>
        new Promise((resolve, reject) => rpc.request(method, [params], (error, result) => (error === null ? resolve(result) : reject(error)))),
      notify: (method, params) => rpc.notify(method, [params]),
      onNotify: (method, handler) => handlers.set(method, handler),
    });
    // In order: its decoder throws where nobody can catch it if the stream is cut off.
    const closed = new Promise((resolve) => stream.once('close', resolve));
    return {
      ...client,
      close() {
        stream.end();
        return closed;
      },
    };
  },
});
