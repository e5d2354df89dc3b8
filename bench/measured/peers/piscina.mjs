// Calls only, to a pool of one thread that takes many tasks at a time. Bytes are transferred both ways.
import { Piscina } from 'piscina';

/** @type {import('../peer.mjs').Peer} */
export const piscina = {
  async open() {
    const pool = new Piscina({
      filename: new URL('piscina-worker.mjs', import.meta.url).href,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 64,
      recordTiming: false,
      workerHistogram: false,
    });
    return {
      call: (params) => pool.run(params, { name: 'echo' }),
      binary: (bytes) => pool.run(bytes, { name: 'binary', transferList: [bytes.buffer] }),
      close() {},
      pids: [process.pid],
      stop: () => pool.destroy(),
    };
  },
};
