import { definePlugin, serve } from '@synapse/worker-runtime/plugin';

await serve(definePlugin({ methods: { echo: (params) => params } }));
