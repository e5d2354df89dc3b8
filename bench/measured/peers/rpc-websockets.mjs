import { Client, Server } from 'rpc-websockets';
import { echoClient, echoService } from '../echo-service.mjs';

/** @type {import('../peer.mjs').Peer} */
export const rpcWebSockets = {
  serve({ ready }) {
    const server = new Server({ host: '127.0.0.1', port: 0 });
    const service = echoService({ notify: (_method, value) => server.emit('chunk', { value }), binaryAs: 'base64' });
    for (const [method, handler] of Object.entries(service.methods)) server.register(method, ({ value }) => ({ value: handler(value) }));
    // A notification is a request without an id.
    for (const [method, handler] of Object.entries(service.notifications)) server.register(method, ({ value }) => handler(value) ?? null);
    server.event('chunk');
    server.on('listening', () => ready(`ws://127.0.0.1:${server.wss.address().port}`));
  },
  async connect({ address }) {
    const rpc = new Client(address, { reconnect: false, perMessageDeflate: false });
    await new Promise((resolve, reject) => rpc.once('open', resolve).once('error', reject));
    let subscribed;
    let onChunk = (_value) => {};
    const client = echoClient({
      async call(method, value = null) {
        if (method === 'streamStart') {
          subscribed ??= rpc.subscribe('chunk');
          await subscribed;
        }
        return (await rpc.call(method, { value })).value;
      },
      notify: (method, value) => void rpc.notify(method, { value }),
      onNotify(_method, handler) {
        onChunk = handler;
      },
      binaryAs: 'base64',
    });
    rpc.on('chunk', (...values) => onChunk(values[0]?.value ?? values[0]?.[0]?.value));
    return { ...client, close: () => rpc.close() };
  },
};
