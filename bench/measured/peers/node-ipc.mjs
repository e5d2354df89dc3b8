// child_process.fork and process.send: what Node itself brings. `json` is the faster one for small messages, `advanced` the one that has bytes.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { echoClient } from '../echo-service.mjs';
import { PendingCalls } from '../pending-calls.mjs';

/** @param {'json' | 'advanced'} serialization @returns {import('../peer.mjs').Peer} */
export function nodeIpc(serialization) {
  return {
    async open() {
      const child = fork(fileURLToPath(new URL('node-ipc-worker.mjs', import.meta.url)), { serialization });
      const exited = once(child, 'exit');
      const pending = new PendingCalls();
      const handlers = new Map();
      child.on('message', ({ id, result, method, params }) => {
        if (method === undefined) pending.settle(id, result);
        else handlers.get(method)?.(params);
      });
      const client = echoClient({
        call: (method, params) => pending.call((id) => void child.send({ id, method, params })),
        notify: (method, params) => void child.send({ method, params }),
        onNotify: (method, handler) => handlers.set(method, handler),
      });
      const { binary, stream, ...messages } = client;
      return {
        ...(serialization === 'json' ? messages : { call: client.call, binary, stream }),
        close() {},
        pids: [process.pid, child.pid],
        async stop() {
          child.kill('SIGKILL');
          await exited;
        },
      };
    },
  };
}
