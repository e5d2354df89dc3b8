// Structured clone over a thread's port; bytes and chunks are cloned, since birpc has no list of what to transfer.
import { parentPort } from 'node:worker_threads';
import { createBirpc } from 'birpc';
import { echoClient, echoService } from '../echo-service.mjs';

const on = (port) => ({ post: (data) => port.postMessage(data), on: (take) => port.on('message', take), timeout: -1, proxify: false });

/** @type {import('../peer.mjs').Peer} */
export const birpc = {
  serve() {
    const service = echoService({ notify: (method, value) => void rpc.$callEvent(method, value) });
    const rpc = createBirpc({ ...service.methods, ...service.notifications }, on(parentPort));
  },
  async connect({ worker }) {
    const functions = {};
    const rpc = createBirpc(functions, on(worker));
    const client = echoClient({
      call: (method, value) => rpc.$call(method, value),
      notify: (method, value) => void rpc.$callEvent(method, value),
      onNotify(method, handler) {
        functions[method] = handler;
      },
    });
    return { ...client, close: () => rpc.$close() };
  },
};
