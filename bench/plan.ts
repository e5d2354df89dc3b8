/** Transports that peers are compared on. */
export const transports = ['stdio', 'unix', 'websocket', 'thread'] as const;
export type Transport = (typeof transports)[number];

/** A way to measure; docs/performance.md says what each does. */
export interface Workload {
  readonly name: string;
  readonly unit: string;
  readonly higherIsBetter: boolean;
}

/** What a pair of processes or threads is measured by. */
export const pairWorkloads: readonly Workload[] = [
  { name: 'calls', unit: 'calls/s', higherIsBetter: true },
  { name: 'latency', unit: 'µs (p50)', higherIsBetter: false },
  { name: 'binary', unit: 'MB/s', higherIsBetter: true },
  { name: 'stream', unit: 'MB/s', higherIsBetter: true },
  { name: 'events', unit: 'events/s', higherIsBetter: true },
  { name: 'start', unit: 'ms', higherIsBetter: false },
];

/** What `--only` takes for a workload. */
export const families: readonly string[] = [...pairWorkloads.map(({ name }) => name), 'idle-memory', 'workers', 'decide'];

/** The raw limit has two ways to write; the better one of a workload counts, as peer `raw`. */
export const rawPeers = ['raw, batched', 'raw, a write per frame'] as const;

/** Who is measured on a transport. */
export const peersOf: Readonly<Record<Transport, readonly string[]>> = {
  stdio: ['ours', ...rawPeers, 'node IPC (json)', 'node IPC (advanced)', 'neovim client', 'vscode-jsonrpc', 'MCP SDK'],
  unix: ['ours', ...rawPeers, 'neovim client', 'vscode-jsonrpc', 'grpc-js unary', 'grpc-js bidi'],
  websocket: ['ours', ...rawPeers, 'rpc-websockets', 'socket.io', 'capnweb'],
  thread: ['ours', ...rawPeers, 'birpc', 'comlink', 'piscina'],
};

/** Where many connections are held, and by whom memory is compared. */
export const manyConnections = {
  transports: ['unix', 'websocket'],
  memoryPeers: {
    unix: ['ours', 'raw, batched', 'neovim client', 'vscode-jsonrpc', 'grpc-js bidi'],
    websocket: ['ours', 'raw, batched', 'rpc-websockets', 'capnweb'],
  },
  workersPeers: ['ours', 'raw, batched'],
} as const;

/** How long things take. */
export interface Pace {
  readonly rounds: number;
  readonly durationMs: number;
  /** Of the round that counts for nothing: code that is not compiled yet is measured otherwise. */
  readonly warmUpMs: number;
  /** The same for `calls`, whose code the other workloads share. */
  readonly callsWarmUpMs: number;
  /** Rounds in which processes are started: those take longest. */
  readonly startRounds: number;
  /** Connections whose memory is measured. */
  readonly idleConnections: number;
  /** Their rounds: each takes processes of its own, and memory varies little. */
  readonly idleRounds: number;
  /** Whether the memory of other peers is measured too. */
  readonly idlePeers: boolean;
  /** Sizes of `workers`. */
  readonly workerCounts: readonly number[];
}

export const fullPace: Pace = {
  rounds: 5,
  durationMs: 800,
  warmUpMs: 800,
  callsWarmUpMs: 2_000,
  startRounds: 5,
  idleConnections: 1_000,
  idleRounds: 3,
  idlePeers: true,
  workerCounts: [10, 1_000, 10_000],
};
export const quickPace: Pace = {
  rounds: 3,
  durationMs: 30,
  warmUpMs: 40,
  callsWarmUpMs: 300,
  startRounds: 1,
  idleConnections: 64,
  idleRounds: 1,
  idlePeers: false,
  workerCounts: [10, 50],
};
