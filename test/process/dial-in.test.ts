import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connectController } from '../../src/host/connect-controller.js';
import type { Transport } from '../../src/interfaces/transport.js';
import { nodePlatform } from '../../src/node/node-platform.js';
import { definePlugin } from '../../src/plugin/define-plugin.js';
import { dialPlugin } from '../../src/plugin/dial-plugin.js';
import { unixTransport } from '../../transports/unix/unix-transport.js';
import { webSocketTransport } from '../../transports/websocket/websocket-transport.js';
import { type CutLine, cutLine } from './cut-line.js';
import { startHost, until } from './host-support.js';

const manifest = JSON.stringify({ id: 'remote', name: 'Remote', author: 'tests', type: 'skill', version: '1.0.0', runtime: { type: 'external' } });

interface Way {
  readonly transport: Transport;
  readonly line: CutLine;
  /** Where the host listens. */
  readonly direct: string;
  /** The same through the line. */
  readonly address: string;
}

const ways = {
  async unix(listen: (transport: Transport, address: string) => Promise<{ readonly address: string }>): Promise<Way> {
    const place = mkdtempSync(join(tmpdir(), 'synapse-test-'));
    onTestFinished(() => rmSync(place, { recursive: true }));
    const transport = unixTransport();
    const { address: direct } = await listen(transport, 'unix:');
    const line = await cutLine(join(place, 's'), { path: direct.slice('unix:'.length) });
    return { transport, line, direct, address: `unix:${line.at}` };
  },
  async websocket(listen: (transport: Transport, address: string) => Promise<{ readonly address: string }>): Promise<Way> {
    const transport = webSocketTransport();
    const { address: direct } = await listen(transport, 'ws://127.0.0.1:0');
    const line = await cutLine(undefined, { host: '127.0.0.1', port: Number(new URL(direct).port) });
    return { transport, line, direct, address: `ws://127.0.0.1:${line.at}` };
  },
};

describe.each(['unix', 'websocket'] as const)('over real sockets: %s', (kind) => {
  test('[dialin.registers] [session.resume] [dialin.controllers] a worker is cut off in the middle of its calls, and driven by a controller', {
    timeout: 20_000,
  }, async () => {
    const { host } = startHost();
    const plugin = await host.install({ manifest, manifestFileName: 'manifest.json' }, { limits: { maxConcurrency: 2_000 } });
    const { transport, line, direct, address } = await ways[kind]((...where) => host.listen(...where));
    const platform = nodePlatform();
    const runs = new Map<number, number>();
    const worker = dialPlugin(
      definePlugin({
        methods: {
          async work(params) {
            const { n } = params as { n: number };
            runs.set(n, (runs.get(n) ?? 0) + 1);
            if (n % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
            return n;
          },
        },
      }),
      {
        platform,
        pluginId: 'remote',
        pluginVersion: '1.0.0',
        manifest,
        token: host.issueToken({ plugin: 'remote' }).token,
        redial: { maxDelayMs: 20 },
        dial: (options) => transport.dial(address, options),
      },
    );
    await plugin.start();
    expect(plugin.worker).toMatchObject({ isolation: 'external', pid: undefined, generation: 1 });

    const states: string[] = [];
    host.on('worker.state', ({ to }) => states.push(to));
    const calls: Promise<unknown>[] = [];
    for (let cuts = 1; cuts <= 3; cuts += 1) {
      for (let count = 0; count < 300; count += 1) calls.push(plugin.call('work', { n: calls.length, text: 'x'.repeat(500) }));
      await new Promise((resolve) => setImmediate(resolve));
      line.cut();
      await until(() => states.filter((state) => state === 'ready').length === cuts);
    }
    await expect(Promise.all(calls)).resolves.toEqual(Array.from({ length: 900 }, (_, n) => n));
    expect([...runs.values()].every((count) => count === 1)).toBe(true);
    expect(plugin.worker?.generation).toBe(1);

    const { token } = host.issueToken({ role: 'controller', plugins: ['remote'] });
    const controller = await connectController(await transport.dial(direct), { token, platform });
    expect(await controller.plugins()).toEqual([{ id: 'remote', version: '1.0.0', state: 'active' }]);
    expect(await controller.call('remote', 'work', { n: 1_000 })).toBe(1_000);

    await host.stop();
    expect(await controller.ended).toBe('The host is stopping.');
    expect(await (await worker).ended).toMatchObject({ code: 'STOPPED', goodbye: true });
  });
});
