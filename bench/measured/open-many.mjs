import { openedAtOnce } from './opened-at-once.mjs';
import { loadPeer, startWorker } from './peer.mjs';

/**
 * @typedef {object} Many
 * @property {number} size
 * @property {number[]} pids
 * @property {(count: number) => Promise<void>} grow opens further connections, up to `count`
 * @property {(index: number, params: unknown) => Promise<unknown>} call
 * @property {() => Promise<void>} stop
 */

/**
 * Many connections to a few processes.
 * @param {import('./peer.mjs').Transport} transport @param {string} peerName @param {number} processes
 * @param {number} reserve how many there will be at most: what a peer has to know of each beforehand is done by then
 * @returns {Promise<Many>}
 */
export async function openMany(transport, peerName, processes, reserve) {
  const peer = await loadPeer(peerName);
  if (peer.openMany !== undefined) return peer.openMany({ transport, processes, reserve });
  const workers = await Promise.all(Array.from({ length: processes }, () => startWorker(transport, peerName)));
  const clients = [];
  return {
    get size() {
      return clients.length;
    },
    pids: [process.pid, ...workers.map(({ worker }) => worker.pid)],
    async grow(count) {
      while (clients.length < count) {
        const batch = Math.min(openedAtOnce, count - clients.length);
        const opened = Array.from({ length: batch }, (_, index) => {
          const { address, worker } = workers[(clients.length + index) % processes];
          return peer.connect({ transport, address, worker });
        });
        clients.push(...(await Promise.all(opened)));
      }
    },
    call: (index, params) => clients[index].call(params),
    async stop() {
      await Promise.all(clients.map((client) => client.close()));
      await Promise.all(workers.map(({ stop }) => stop()));
    },
  };
}
