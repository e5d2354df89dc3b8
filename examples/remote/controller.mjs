import { readFileSync } from 'node:fs';
import { connectController } from '@synapse/worker-runtime';
import { nodePlatform } from '@synapse/worker-runtime/node';
import { unixTransport } from '@synapse/worker-runtime/transports/unix';

// node controller.mjs ADDRESS TOKEN_FILE
const [address, tokenFile] = process.argv.slice(2);
const token = readFileSync(tokenFile, 'utf8').trim();
const controller = await connectController(await unixTransport().dial(address), { token, platform: nodePlatform() });
for (const { id, state } of await controller.plugins()) console.log(id, state);
console.log((await controller.call('remote-greeter', 'greet', { name: 'Grace' }, { timeoutMs: 5_000 })).greeting);
await controller.close();
