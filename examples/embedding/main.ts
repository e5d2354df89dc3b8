import type { Logger } from '@synapse/worker-runtime';
import { showCalls } from './calls.js';
import { orderAndWait, watch } from './events.js';
import { createMailHost } from './host.js';
import { letters } from './letters/contract.mjs';
import { withRetry } from './retry.js';
import { describePlan, startWithApproval } from './start.js';
import { showStreams } from './streams.js';

const quiet: Logger = { debug() {}, info() {}, warn: console.warn, error: console.error };
const host = createMailHost({ approvals: process.argv[2] ?? 'approvals.json', logger: quiet });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void host.stop({ graceMs: 2_000 }));
const end = watch(host);

const filter = await host.install(new URL('spam-filter', import.meta.url), { trust: 'official' });
await filter.start();
const plugin = await host.install(new URL('letters', import.meta.url), {
  trust: 'community',
  config: { signature: 'Ada', api_key: process.env.LETTERS_API_KEY ?? 'a-key-that-nobody-sees' },
  limits: { maxConcurrency: 2 },
});
await startWithApproval(plugin, async (plan) => {
  // Here a person is asked.
  console.log(describePlan(plan));
  return { approvedBy: 'grace@example.com' };
});

await showCalls(plugin);
await showStreams(plugin);
await orderAndWait(host, 'bob@example.com');

const api = plugin.as(letters);
const busy = await Promise.all(['a', 'b', 'c'].map((text) => withRetry(() => api.proofread({ text }), { idempotent: true })));
console.log(busy.length, 'calls with a limit of 2');
await plugin.disable();
await withRetry(() => api.proofread({ text: 'a' }), { attempts: 1_000, idempotent: true }).catch((error: Error) => console.log(error.message));

end();
await host.stop();
