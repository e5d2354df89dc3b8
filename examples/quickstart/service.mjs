import { createNodeHost } from '@synapse/worker-runtime/node';
import { summarizer } from './summarizer/contract.mjs';

const host = createNodeHost({
  policy: { version: 1, rules: [{ effect: 'allow', capability: 'events.publish', scope: { topics: ['summaries.*'] } }] },
  logger: { ...console, info() {}, debug() {} },
});
host.events.subscribe('summaries.*', (event) => console.log(event.source, 'published', event.payload));
const plugin = await host.install(new URL('summarizer', import.meta.url), { trust: 'community' });
await plugin.start();
const api = plugin.as(summarizer);
console.log((await api.summarize({ text: 'One thing. Another thing.' }, { timeoutMs: 5_000 })).summary);
const stream = api.narrate({ text: 'as fast as it is read' });
for await (const word of stream) process.stdout.write(`${word} `);
console.log((await stream.result).words, 'words');
await host.stop();
