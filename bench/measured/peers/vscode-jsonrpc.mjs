import rpc from 'vscode-jsonrpc/node.js';
import { echoClient, echoService } from '../echo-service.mjs';
import { duplexPeer } from './duplex.mjs';

function connectionOn(stream) {
  return rpc.createMessageConnection(new rpc.StreamMessageReader(stream), new rpc.StreamMessageWriter(stream));
}

export const vscodeJsonrpc = duplexPeer({
  serve(stream) {
    const connection = connectionOn(stream);
    const service = echoService({ notify: (method, params) => void connection.sendNotification(method, params), binaryAs: 'base64' });
    for (const [method, handler] of Object.entries(service.methods)) connection.onRequest(method, handler);
    for (const [method, handler] of Object.entries(service.notifications)) connection.onNotification(method, handler);
    connection.listen();
  },
  connect(stream) {
    const connection = connectionOn(stream);
    connection.listen();
    const client = echoClient({
      call: (method, params = null) => connection.sendRequest(method, params),
      notify: (method, params) => void connection.sendNotification(method, params),
      onNotify: (method, handler) => void connection.onNotification(method, handler),
      binaryAs: 'base64',
    });
    return {
      ...client,
      close() {
        connection.dispose();
        stream.destroy();
      },
    };
  },
});
