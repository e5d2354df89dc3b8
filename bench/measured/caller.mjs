// The measured side of a pair, in plain Node.
import { takeOrders } from './orders.mjs';
import { openPeer } from './peer.mjs';
import { pinned } from './pinned.mjs';
import { workloads, workloadsOf } from './workloads.mjs';

/** @type {import('./peer.mjs').RunningPeer | undefined} */
let running;
let open = () => Promise.reject(new Error('Nothing was opened.'));

takeOrders({
  async open({ transport, peer }) {
    open = () => openPeer(transport, peer);
    running = await open();
    return workloadsOf(running);
  },
  measure({ workload, durationMs }) {
    const run = () => workloads[workload](running, durationMs, open);
    return workload === 'latency' ? pinned(running.pids, run) : run();
  },
  stop: () => running?.stop(),
});
