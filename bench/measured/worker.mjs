// The other side of a peer: a process (node worker.mjs TRANSPORT PEER [SOCKET]) or a thread. Plain Node, no loader.
import { isMainThread, workerData } from 'node:worker_threads';
import { loadPeer } from './peer.mjs';

const [transport, peer, path] = isMainThread ? process.argv.slice(2) : [workerData.transport, workerData.peer, ''];
if (isMainThread) process.on('disconnect', () => process.exit(0));
await (await loadPeer(peer)).serve({ transport, path, ready: (address) => process.send?.({ address }) });
