// The protocol layer of the MCP SDK with methods of its own, without validation of what they carry: less than a tool call does.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';
import { echoClient, echoService } from '../echo-service.mjs';
import { duplexPeer } from './duplex.mjs';

const identity = { name: 'bench', version: '1.0.0' };
/** MCP wants an object for params and results. */
const result = z.object({ value: z.any() });
const requestOf = (method) => z.object({ method: z.literal(`bench/${method}`), params: z.any() });

export const mcpSdk = duplexPeer({
  async serve(stream) {
    // It waits for `drain` once for each message that it sends.
    stream.setMaxListeners(0);
    const server = new Server(identity, { capabilities: {} });
    const service = echoService({
      notify: (method, value) => void server.notification({ method: `bench/${method}`, params: { value } }),
      binaryAs: 'base64',
    });
    for (const [method, handler] of Object.entries(service.methods)) {
      server.setRequestHandler(requestOf(method), ({ params }) => ({ value: handler(params.value) }));
    }
    for (const [method, handler] of Object.entries(service.notifications)) {
      server.setNotificationHandler(requestOf(method), ({ params }) => handler(params.value));
    }
    await server.connect(new StdioServerTransport(stream, stream));
  },
  async connect(stream) {
    stream.setMaxListeners(0);
    const rpc = new Client(identity, { capabilities: {} });
    // It only reads and writes lines; the client's own transport would start a process beside that.
    await rpc.connect(new StdioServerTransport(stream, stream));
    const client = echoClient({
      call: async (method, value = null) => (await rpc.request({ method: `bench/${method}`, params: { value } }, result)).value,
      notify: (method, value) => void rpc.notification({ method: `bench/${method}`, params: { value } }),
      onNotify: (method, handler) => rpc.setNotificationHandler(requestOf(method), ({ params }) => handler(params.value)),
      binaryAs: 'base64',
    });
    return {
      ...client,
      async close() {
        await rpc.close();
        stream.destroy();
      },
    };
  },
});
