import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createNodeHost } from '@synapse/worker-runtime/node';
import { unixTransport } from '@synapse/worker-runtime/transports/unix';
import { webSocketTransport } from '@synapse/worker-runtime/transports/websocket';

// node host.mjs PLUGIN ADDRESS TOKEN_FILE [CERTIFICATE KEY]
const [folder, address, tokenFile, certificate, key] = process.argv.slice(2);
const tls = certificate === undefined ? undefined : { cert: await readFile(certificate), key: await readFile(key) };

const host = createNodeHost({ logger: { ...console, info() {}, debug() {} } });
const plugin = await host.install(folder, { trust: 'community', timings: { startTimeoutMs: 600_000 } });
const listener = await host.listen(address.startsWith('unix:') ? unixTransport() : webSocketTransport({ tls }), address);
const { token } = host.issueToken({ plugin: plugin.id }); // for one registration within ten minutes
writeFileSync(tokenFile, token, { mode: 0o600 });
console.log(`SYNAPSE_WORKER_CHANNEL=${listener.address} SYNAPSE_WORKER_TOKEN_FILE=${tokenFile}`);

await plugin.start(); // waits until the worker has dialled in
console.log((await plugin.call('greet', { name: 'Ada' })).greeting);
await host.stop();
