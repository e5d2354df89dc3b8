// A host that workers dial in to, as an embedder makes it, and the processes of those workers.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createNodeHost } from '@synapse/worker-runtime/node';
import { transportOf } from './transport-of.mjs';

/** Of every host that is measured. */
export const policy = { version: 1, rules: [{ effect: 'allow', capability: 'events.subscribe', scope: { topics: ['bench.*'] } }] };
export const limits = { maxConcurrency: 1_024 };
const version = '1.0.0';
const dialInFile = fileURLToPath(new URL('dial-in.mjs', import.meta.url));

function manifestOf(id, events) {
  const capabilities = events ? [{ capability: 'events.subscribe', topics: ['bench.*'], reason: 'Counts what arrives.' }] : [];
  return JSON.stringify({ id, name: id, author: 'synapse', type: 'skill', version, requires: { capabilities }, runtime: { type: 'external' } });
}

/** @param {'unix' | 'websocket'} transport @param {number} processes */
export async function openDialInHost(transport, processes) {
  const host = createNodeHost({ policy });
  const listener = await host.listen(await transportOf(transport), transport === 'unix' ? 'unix:' : 'ws://127.0.0.1:0');
  const children = Array.from({ length: processes }, () => {
    const child = spawn(process.execPath, [dialInFile, transport], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    return { child, exited: once(child, 'exit') };
  });
  await Promise.all(children.map(({ child }) => once(child, 'message')));
  return {
    host,
    pids: [process.pid, ...children.map(({ child }) => child.pid)],
    install: (id, events) => host.install({ manifest: manifestOf(id, events) }, { limits }),
    /** Lets a process dial in for plugins that are installed. Resolves when all are active, with the nanoseconds at which it began. */
    async dialIn(plugins, events, processIndex = 0) {
      const { child } = children[processIndex];
      const active = Promise.all(plugins.map((plugin) => activeOf(host, plugin)));
      const answered = once(child, 'message');
      child.send({
        address: listener.address,
        events,
        workers: plugins.map(({ id }) => ({
          pluginId: id,
          pluginVersion: version,
          manifestDigest: createHash('sha256').update(manifestOf(id, events)).digest('hex'),
          token: host.issueToken({ role: 'worker', plugin: id }).token,
        })),
      });
      const [{ began, error }] = await answered;
      if (error !== undefined) throw new Error(error);
      await active;
      return BigInt(began);
    },
    async stop() {
      await host.stop({ graceMs: 0 });
      for (const { child } of children) child.kill('SIGKILL');
      await Promise.all(children.map(({ exited }) => exited));
    },
  };
}

function activeOf(host, plugin) {
  return new Promise((resolve) => {
    const off = host.on('plugin.state', ({ plugin: id, to }) => {
      if (id !== plugin.id || to !== 'active') return;
      off();
      resolve(undefined);
    });
  });
}
