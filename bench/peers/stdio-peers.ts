import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createNodeHost } from '@synapse/worker-runtime/node';
import rpc from 'vscode-jsonrpc/node.js';
import { PendingCalls } from '../pending-calls.js';
import { rawChannel } from '../raw-protocol.mjs';
import type { Peer } from './peer.js';

const worker = (name: string): string => fileURLToPath(new URL(`../workers/${name}`, import.meta.url));

/** The runtime as an embedder uses it: scan, deadlines, ack, liveness and audit on. */
export const ours: Peer = {
  name: 'ours',
  async start() {
    const host = createNodeHost();
    const plugin = await host.install(worker('ours'), { limits: { maxConcurrency: 1_024 } });
    await plugin.start();
    return { echo: (params) => plugin.call('echo', params), stop: () => host.stop() };
  },
};

/** The raw limit: a feature-free echo in plain MessagePack on the same kind of socket. */
export function raw(flush: 'frame' | 'batch'): Peer {
  return {
    name: `raw (${flush === 'frame' ? 'a write per frame' : 'batched, 2 KiB early flush'})`,
    async start() {
      const child = spawn(process.execPath, [worker('raw.mjs'), flush], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
      const pending = new PendingCalls();
      const send = rawChannel(child.stdio[3] as Socket, flush, (message) => {
        const [, id, , result] = message as [number, number, unknown, unknown];
        pending.settle(id, result);
      });
      const echo = (params: unknown): Promise<unknown> => pending.call((id) => send([0, id, 'echo', params]));
      return { echo, stop: () => stop(child, () => (child.stdio[3] as Socket).end()) };
    },
  };
}

export const nodeIpc: Peer = {
  name: 'node IPC (json)',
  async start() {
    const child = fork(worker('node-ipc.mjs'), { serialization: 'json' });
    const pending = new PendingCalls();
    child.on('message', ({ id, result }: { id: number; result: unknown }) => pending.settle(id, result));
    const echo = (params: unknown): Promise<unknown> => pending.call((id) => void child.send({ id, params }));
    return { echo, stop: () => stop(child, () => child.disconnect()) };
  },
};

export const vscodeJsonrpc: Peer = {
  name: 'vscode-jsonrpc',
  async start() {
    const child = spawn(process.execPath, [worker('vscode-jsonrpc.mjs')], { stdio: ['pipe', 'pipe', 'inherit'] });
    const connection = rpc.createMessageConnection(new rpc.StreamMessageReader(child.stdout), new rpc.StreamMessageWriter(child.stdin));
    connection.listen();
    return {
      echo: (params) => connection.sendRequest('echo', params),
      stop: () =>
        stop(child, () => {
          connection.dispose();
          child.stdin.end();
        }),
    };
  },
};

async function stop(child: ChildProcess, end: () => void): Promise<void> {
  const exited = once(child, 'exit');
  end();
  const timer = setTimeout(() => child.kill('SIGKILL'), 1_000);
  await exited;
  clearTimeout(timer);
}
