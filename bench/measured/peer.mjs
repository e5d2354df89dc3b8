import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/**
 * @typedef {'stdio' | 'unix' | 'websocket' | 'thread'} Transport
 *
 * @typedef {object} Client What the workloads use; a peer leaves out what it cannot do.
 * @property {(params: unknown) => Promise<unknown>} call echoes
 * @property {(bytes: Uint8Array) => Promise<Uint8Array>} [binary] echoes; the bytes belong to the peer afterwards
 * @property {(done: () => boolean) => Promise<number>} [stream] reads chunks until `done` says so; resolves with the number of bytes
 * @property {(event: unknown) => unknown} [publish] a one-way message
 * @property {() => Promise<number>} [received] how many of those have arrived
 * @property {() => unknown} close
 *
 * @typedef {Client & { firstReply?: () => Promise<number>, pids: number[], stop(): Promise<void> }} RunningPeer
 *   `firstReply`: milliseconds from the begin of a further connection to the same process until its first reply; without it a whole start is measured.
 *
 * @typedef {object} Peer Either both sides of a connection, or its own way to start.
 * @property {(context: { transport: Transport, path: string, ready(address: string): void }) => unknown} [serve] in the other process or thread
 * @property {(context: { transport: Transport, address: string, worker: any }) => Promise<Client>} [connect]
 * @property {(context: { transport: Transport }) => Promise<RunningPeer>} [open]
 * @property {(context: { transport: Transport, processes: number, reserve: number }) => Promise<import('./open-many.mjs').Many>} [openMany]
 */

/** @type {Readonly<Record<string, () => Promise<Peer>>>} */
const peers = {
  ours: async () => (await import('./peers/ours.mjs')).ours,
  'raw, batched': async () => (await import('./peers/raw.mjs')).rawPeer('batch'),
  'raw, a write per frame': async () => (await import('./peers/raw.mjs')).rawPeer('frame'),
  'node IPC (json)': async () => (await import('./peers/node-ipc.mjs')).nodeIpc('json'),
  'node IPC (advanced)': async () => (await import('./peers/node-ipc.mjs')).nodeIpc('advanced'),
  'neovim client': async () => (await import('./peers/neovim.mjs')).neovim,
  'vscode-jsonrpc': async () => (await import('./peers/vscode-jsonrpc.mjs')).vscodeJsonrpc,
  'MCP SDK': async () => (await import('./peers/mcp-sdk.mjs')).mcpSdk,
  'grpc-js unary': async () => (await import('./peers/grpc.mjs')).grpcUnary,
  'grpc-js bidi': async () => (await import('./peers/grpc.mjs')).grpcBidi,
  'rpc-websockets': async () => (await import('./peers/rpc-websockets.mjs')).rpcWebSockets,
  'socket.io': async () => (await import('./peers/socket-io.mjs')).socketIo,
  capnweb: async () => (await import('./peers/capnweb.mjs')).capnweb,
  birpc: async () => (await import('./peers/birpc.mjs')).birpc,
  comlink: async () => (await import('./peers/comlink.mjs')).comlink,
  piscina: async () => (await import('./peers/piscina.mjs')).piscina,
};

/** @param {string} name @returns {Promise<Peer>} */
export async function loadPeer(name) {
  const load = peers[name];
  if (load === undefined) throw new Error(`There is no peer "${name}".`);
  return load();
}

const workerFile = fileURLToPath(new URL('worker.mjs', import.meta.url));

/** Starts the other side. Its process ends with this one, whatever happens: it has an IPC channel to notice that by. */
export async function startWorker(transport, peerName) {
  if (transport === 'thread') {
    const worker = new Worker(workerFile, { workerData: { transport, peer: peerName } });
    return { worker, address: '', pids: [process.pid], stop: () => worker.terminate().then(() => {}) };
  }
  const folder = transport === 'unix' ? mkdtempSync(join(tmpdir(), 'bench-')) : undefined;
  const worker = spawn(process.execPath, [workerFile, transport, peerName, folder === undefined ? '' : join(folder, 'socket')], {
    stdio: ['ignore', 'inherit', 'inherit', transport === 'stdio' ? 'pipe' : 'ignore', 'ipc'],
  });
  const exited = once(worker, 'exit');
  const stop = async () => {
    worker.kill('SIGKILL');
    await exited;
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
  const address = transport === 'stdio' ? '' : await Promise.race([once(worker, 'message').then(([message]) => message.address), exited]);
  if (typeof address === 'string') return { worker, address, pids: [process.pid, worker.pid], stop };
  await stop();
  throw new Error(`The worker of ${peerName} over ${transport} ended before it was ready.`);
}

/** Starts a peer, both sides of it. @param {Transport} transport @param {string} peerName @returns {Promise<RunningPeer>} */
export async function openPeer(transport, peerName) {
  const peer = await loadPeer(peerName);
  if (peer.open !== undefined) return peer.open({ transport });
  const { worker, address, pids, stop } = await startWorker(transport, peerName);
  const connect = () => peer.connect({ transport, address, worker });
  const client = await connect();
  const running = {
    ...client,
    pids,
    async stop() {
      await client.close();
      await stop();
    },
  };
  if (transport === 'stdio' || transport === 'thread') return running;
  return {
    ...running,
    async firstReply() {
      const begin = performance.now();
      const second = await connect();
      await second.call({ first: true });
      const took = performance.now() - begin;
      await second.close();
      return took;
    },
  };
}
