import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Host } from '../../src/host/create-host.js';
import type { InstallOptions } from '../../src/host/host-options.js';
import type { HostNotifications } from '../../src/host/notifications.js';
import type { Plugin } from '../../src/host/plugin.js';
import { createNodeHost, type NodeHostOptions } from '../../src/node/create-node-host.js';

/** The folder of the plugins that tests install. */
export const plugins = fileURLToPath(new URL('../fixtures/plugins/', import.meta.url));

/** A host with a real process behind each plugin; it is stopped after the test. */
export function startHost(options: NodeHostOptions = {}): { host: Host; logs: HostNotifications['plugin.log'][] } {
  const host = createNodeHost({
    policy: { version: 1, rules: [{ effect: 'allow', capability: 'storage.write', scope: { keys: ['a/*'] } }] },
    ...options,
  });
  onTestFinished(() => host.stop({ graceMs: 0 }));
  const logs: HostNotifications['plugin.log'][] = [];
  host.on('plugin.log', (line) => logs.push(line));
  return { host, logs };
}

/** Installs the misbehaving plugin and starts it. */
export async function startMisbehaving(host: Host, install: InstallOptions = {}): Promise<Plugin> {
  const plugin = await host.install(`${plugins}misbehaving`, install);
  await plugin.start();
  return plugin;
}

/** Whether a process is there. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // One that has ended and that nobody has waited for yet is a line in a table. The state stands after the name, which may hold anything.
    return process.platform !== 'linux' || !/^Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '');
  } catch {
    return false;
  }
}

/** Waits for something that another process does. */
export async function until(condition: () => boolean, limitMs = 5_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`Not within ${limitMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
