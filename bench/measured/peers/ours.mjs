// The runtime as an embedder uses it, by its public face and its built package: scan, deadlines, acknowledgement, liveness, policy and audit on.
import { fileURLToPath } from 'node:url';
import { createNodeHost, threadLauncher } from '@synapse/worker-runtime/node';
import { openedAtOnce } from '../opened-at-once.mjs';
import { limits, openDialInHost, policy } from '../ours/dial-in-host.mjs';

const folder = fileURLToPath(new URL('../ours', import.meta.url));

/** The workloads' view of a plugin that is active. */
function clientOf(host, plugin) {
  return {
    call: (params) => plugin.call('echo', params),
    binary: (bytes) => plugin.call('echo', bytes, { transfer: [bytes.buffer] }),
    async stream(done) {
      let read = 0;
      for await (const chunk of plugin.stream('chunks')) {
        read += chunk.byteLength;
        if (done()) break;
      }
      return read;
    },
    publish: (event) => host.events.publish('bench.tick', event),
    received: () => plugin.call('received'),
    close() {},
  };
}

/** The host starts its worker: on descriptor 3 of a process, or in a thread. */
async function openLaunched(transport) {
  const host = createNodeHost(transport === 'thread' ? { policy, launcher: threadLauncher() } : { policy });
  const plugin = await host.install(folder, { limits });
  await plugin.start();
  const { pid } = plugin.worker;
  return { ...clientOf(host, plugin), pids: [process.pid, ...(pid === undefined ? [] : [pid])], stop: () => host.stop() };
}

/** The worker dials in. A first reply is that of another plugin whose worker dials in from the same process. */
async function openDialledIn(transport) {
  const dialIn = await openDialInHost(transport, 1);
  const { host, pids } = dialIn;
  const plugin = await dialIn.install('bench-echo', true);
  await dialIn.dialIn([plugin], true);
  const other = await dialIn.install('bench-start', false);
  return {
    ...clientOf(host, plugin),
    pids,
    async firstReply() {
      const began = await dialIn.dialIn([other], false);
      await other.call('echo', { first: true });
      const took = Number(process.hrtime.bigint() - began) / 1e6;
      await other.stop({ graceMs: 0 });
      return took;
    },
    stop: () => dialIn.stop(),
  };
}

/** @type {import('../peer.mjs').Peer} */
export const ours = {
  open: ({ transport }) => (transport === 'stdio' || transport === 'thread' ? openLaunched(transport) : openDialledIn(transport)),
  async openMany({ transport, processes, reserve }) {
    const dialIn = await openDialInHost(transport, processes);
    // What the host knows of a plugin without a worker is no part of a connection's memory.
    const plugins = [];
    for (let index = 0; index < reserve; index++) plugins.push(await dialIn.install(`bench-${index}`, false));
    let size = 0;
    return {
      get size() {
        return size;
      },
      pids: dialIn.pids,
      async grow(count) {
        for (let batch = 0; size < count; batch++) {
          const next = plugins.slice(size, Math.min(count, size + openedAtOnce));
          await dialIn.dialIn(next, false, batch % processes);
          size += next.length;
        }
      },
      call: (index, params) => plugins[index].call('echo', params),
      stop: () => dialIn.stop(),
    };
  },
};
