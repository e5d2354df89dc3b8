import { definePlugin, serve } from '@synapse/worker-runtime/plugin';
import { spamFilter } from './contract.mjs';

await serve(definePlugin(spamFilter, { check: ({ text }) => ({ spam: /win a prize/i.test(text) }) }));
