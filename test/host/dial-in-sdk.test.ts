import { describe, expect, test } from 'vitest';
import { definePlugin, type UntypedPlugin } from '../../src/plugin/define-plugin.js';
import { type DialPluginOptions, dialPlugin } from '../../src/plugin/dial-plugin.js';
import type { MemoryPair } from '../../transports/memory/memory-pair.js';
import { seededFraction } from '../../transports/memory/seeded-fraction.js';
import { createDialRig, type DialRig, digest, installExternal } from './dial-in-support.js';
import { allow, type Request } from './support.js';

/** Dials in with the SDK. */
function dialIn(rig: DialRig, manifest: string, token: string, plugin: UntypedPlugin) {
  const pairs: MemoryPair[] = [];
  const retries: string[] = [];
  const options: DialPluginOptions = {
    platform: rig.platform,
    pluginId: 'tested',
    pluginVersion: '1.0.0',
    manifestDigest: digest(manifest),
    token,
    onRetry: (error) => retries.push((error as { code?: string }).code ?? error.message),
    async dial() {
      const pair = rig.dial();
      pairs.push(pair);
      return pair[1];
    },
  };
  return { pairs, retries, running: dialPlugin(definePlugin(plugin), options) };
}

async function connect(plugin: UntypedPlugin, requests: readonly Request[] = [], rules = requests.map(({ capability }) => allow(capability))) {
  const rig = await createDialRig({ rules });
  const installed = await installExternal(rig, { requests, install: { limits: { maxConcurrency: 1_000 } } });
  const { token } = rig.host.issueToken({ plugin: 'tested' });
  const dialled = dialIn(rig, installed.manifest, token, plugin);
  return { rig, ...installed, ...dialled };
}

describe('a plugin of the SDK that dials in', () => {
  test.each([1, 2, 3])('[session.resume] keeps its session through any cuts: every call runs and settles once (seed %i)', async (seed) => {
    const runs = new Map<number, number>();
    const { rig, plugin, pairs, running } = await connect({
      methods: {
        work(params) {
          const { n } = params as { n: number };
          runs.set(n, (runs.get(n) ?? 0) + 1);
          return n;
        },
      },
    });
    await rig.clock.runUntil(running);
    await rig.clock.settle();
    const fraction = seededFraction(seed);
    const calls = Array.from({ length: 300 }, (_, n) => plugin.call('work', { n, text: 'x'.repeat(n) }, { timeoutMs: 0 }));
    for (let cuts = 0; cuts < 10; cuts += 1) {
      pairs.at(-1)?.faults[cuts % 2 === 0 ? 0 : 1].cut({ deliverBytes: Math.floor(fraction() * 3_000) });
      // Long enough for the wait before the next attempt.
      await rig.clock.advance(12_000);
    }
    await expect(Promise.all(calls)).resolves.toEqual(Array.from({ length: 300 }, (_, n) => n));
    expect([...runs.values()].every((count) => count === 1)).toBe(true);
    expect(plugin.worker).toMatchObject({ state: 'ready', generation: 1 });
    expect(pairs.length).toBe(11);
    await rig.clock.runUntil(plugin.stop());
    expect((await running).saidGoodbye).toBe(true);
  });

  test('[dialin.approval] waits for the approval, and is there once it was given', async () => {
    const { rig, plugin, retries, running } = await connect(
      { methods: { echo: (params) => params } },
      [{ capability: 'storage.write', keys: ['a'] }],
      [],
    );
    await rig.clock.advance(5_000);
    expect(new Set(retries)).toEqual(new Set(['APPROVAL_REQUIRED']));
    expect(plugin.state).toBe('pending');
    await plugin.approve({ by: 'ada' });
    await rig.clock.runUntil(running);
    await rig.clock.settle();
    await expect(plugin.call('echo', 1)).resolves.toBe(1);
  });

  test('[dialin.fresh-session] begins anew when it was away too long, with its subscriptions', async () => {
    const heard: unknown[] = [];
    const { rig, plugin, pairs, running } = await connect(
      {
        on: { 'news.*': (event) => void heard.push(event.payload) },
        methods: { echo: (params) => params },
      },
      [{ capability: 'events.subscribe', topics: ['news.**'] }],
    );
    await rig.clock.runUntil(running);
    await rig.clock.settle();
    await rig.listener.close();
    pairs.at(-1)?.faults[0].cut({ deliverBytes: 0 });
    await rig.clock.advance(40_000);
    expect(plugin).toHaveProperty('state', 'idle');
    const { transport, dial } = (await import('./dial-in-support.js')).loopback(rig.clock);
    await rig.host.listen(transport, 'memory:again');
    rig.dial = dial;
    await rig.clock.advance(20_000);
    expect(plugin.worker).toMatchObject({ state: 'ready', generation: 2 });
    await rig.host.events.publish('news.today', 'hello');
    await rig.clock.settle();
    expect(heard).toEqual(['hello']);
    await expect(plugin.call('echo', 1)).resolves.toBe(1);
  });
});
