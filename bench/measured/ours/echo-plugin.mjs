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
      async *chunks() {
        const chunk = makeChunk();
        for (;;) yield chunk;
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
