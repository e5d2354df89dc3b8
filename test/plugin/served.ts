// A worker process for serve.test.ts.

import { serve } from '../../src/node/serve.js';
import { definePlugin } from '../../src/plugin/index.js';

const plugin = definePlugin({
  methods: {
    echo: (params) => params,
    print: (params) => console.log(`printed ${params}`),
    environment: () => Object.keys(process.env).filter((name) => name.startsWith('SYNAPSE_WORKER_')),
    hang: (_params, ctx) => new Promise(() => setInterval(() => ctx.log.debug('hanging'), 10)),
    throwLater: () =>
      void setTimeout(() => {
        throw new Error('not caught: s3cret-value');
      }, 1),
    rejectLater: () => void Promise.reject(new Error('not handled')),
    slow: () => new Promise((resolve) => setTimeout(() => resolve('done'), 200)),
  },
  onUnload: (ctx) => ctx.log.info('unloading'),
});

await serve(plugin, { graceMs: 2_000 });
