import { isMainThread } from 'node:worker_threads';
import { definePlugin } from '@synapse/worker-runtime/plugin';
import { makeChunk } from '../payload.mjs';

/**
 * What every peer serves, as a plugin.
 * @param {{ events?: boolean }} [options] `events: false`: subscribes to nothing
 */
export function echoPlugin({ events = true } = {}) {
  let received = 0;
  return definePlugin({
    methods: { echo: (params, { transfer }) => (params instanceof Uint8Array ? transfer(params) : params), received: () => received },
    streams: {
      // Nobody changes the chunk, so it may be handed over again and again; a thread would lose it to the other one.
      async *chunks(_params, { transfer }) {
        const chunk = makeChunk();
        for (;;) yield isMainThread ? transfer(chunk) : chunk;
      },
    },
    on: events
      ? {
          'bench.*': () => {
            received += 1;
          },
        }
      : {},
  });
}
