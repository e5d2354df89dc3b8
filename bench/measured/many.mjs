// The measured side of many connections to a few processes, in plain Node.
import { setTimeout as sleep } from 'node:timers/promises';
import { openMany } from './open-many.mjs';
import { takeOrders } from './orders.mjs';
import { payload } from './payload.mjs';
import { pinned } from './pinned.mjs';

/** @type {import('./open-many.mjs').Many | undefined} */
let many;

/** Bytes of the heap and beside it, when nothing is left to collect, and of the resident set. */
async function memory() {
  for (let round = 0; round < 4; round++) {
    globalThis.gc();
    await sleep(25);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, rss };
}

/** Every connection is used once before it counts as idle. */
async function grow(count) {
  const before = many.size;
  await many.grow(count);
  for (let index = before; index < count; index++) await many.call(index, payload);
}

takeOrders({
  async open({ transport, peer, processes, reserve }) {
    many = await openMany(transport, peer, processes, reserve);
  },
  grow: ({ connections }) => grow(connections),
  /** KiB that each of so many further connections holds while nothing happens on it. */
  async memory({ connections }) {
    // What the first ones bring along, code and pools, is not theirs.
    await grow(16);
    const before = await memory();
    await grow(16 + connections);
    const after = await memory();
    const each = (bytes) => bytes / 1_024 / connections;
    return { used: each(after.used - before.used), rss: each(after.rss - before.rss) };
  },
  /**
   * Median microseconds of a call with one in flight: in turns to ten connections of all, so that only the number of the others makes a difference, or
   * with `spread` each to another one of all, which is never in any cache.
   */
  measure({ durationMs, spread }) {
    const used = spread ? many.size : 10;
    const between = Math.floor(many.size / used);
    return pinned(many.pids, async () => {
      const samples = [];
      const until = performance.now() + durationMs;
      // A stride that is coprime to all sizes visits every one, and no two neighbours one after the other.
      let at = 0;
      for (let begin = performance.now(); begin < until; ) {
        at = (at + 7_919) % used;
        await many.call(at * between, payload);
        const end = performance.now();
        samples.push((end - begin) * 1_000);
        begin = end;
      }
      return samples.sort((left, right) => left - right)[samples.length >> 1];
    });
  },
  stop: () => many?.stop(),
});
