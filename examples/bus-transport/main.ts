import { createHash } from 'node:crypto';
import { createNodeHost, nodePlatform } from '@synapse/worker-runtime/node';
import { definePlugin, dialPlugin } from '@synapse/worker-runtime/plugin';
import { busTransport } from './bus-transport.js';
import { createMessageBus } from './message-bus.js';

// A plugin that reaches its host over a bus. Both are in this process here; all that they share is the bus.
const bus = createMessageBus({ maxPayloadBytes: 4_096 });
const options = { keepAliveMs: 50, leaseMs: 300 };
const manifest = ['id: counter', 'name: Counter', 'author: examples', 'type: skill', 'version: 1.0.0', 'runtime: { type: external }'].join('\n');

const host = createNodeHost();
const plugin = await host.install({ manifest, manifestFileName: 'manifest.yml' });
await host.listen(busTransport(bus.connect(), options), 'bus:synapse.host');
const { token } = host.issueToken({ plugin: 'counter' });

let client = bus.connect();
const worker = await dialPlugin(
  definePlugin({
    methods: { length: (params) => (params as { text: string }).text.length },
    streams: {
      async *count(params) {
        for (let at = 1; at <= (params as { to: number }).to; at += 1) yield at;
        return 'counted';
      },
    },
  }),
  {
    platform: nodePlatform(),
    pluginId: 'counter',
    pluginVersion: '1.0.0',
    manifestDigest: createHash('sha256').update(manifest).digest('hex'),
    token,
    dial: (given) => busTransport(client, options).dial('bus:synapse.host', given),
  },
);

await plugin.start();

// Sixteen messages of the bus.
console.log('length', await plugin.call('length', { text: 'x'.repeat(60_000) }));

let sum = 0;
for await (const item of plugin.stream('count', { to: 1_000 })) sum += item as number;
console.log('sum', sum);

// The bus loses the worker's client, and tells nobody. The leases run out, the worker dials again, and the session goes on: the call is answered.
const answer = plugin.call('length', { text: 'still there?' });
client.disconnect();
client = bus.connect();
console.log('length', await answer, 'generation', plugin.worker?.generation);

await host.stop();
await worker.ended;
console.log('goodbye', worker.saidGoodbye);
