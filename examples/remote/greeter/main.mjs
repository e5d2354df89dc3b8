import { definePlugin, serve } from '@synapse/worker-runtime/plugin';

await serve(
  definePlugin({
    methods: { greet: ({ name }) => ({ greeting: `Hello, ${name}, from process ${process.pid}!` }) },
  }),
);
