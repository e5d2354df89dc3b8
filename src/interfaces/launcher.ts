import type { Connection } from './transport.js';

/** How strongly a worker is kept apart from the host (docs/lifecycle.md). */
export type IsolationLevel = 'none' | 'process' | 'sandbox' | 'external';

/** What the host asks a launcher to start. */
export interface LaunchRequest {
  readonly pluginId: string;
  readonly pluginVersion: string;
  /** Unique per incarnation. */
  readonly workerId: string;
  readonly generation: number;
  /** The runtime section of the manifest, validated. */
  readonly runtime: {
    readonly type: string;
    readonly entry: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly channel: 'fd' | 'stdio';
  };
  /** Absolute path of the plugin's folder; undefined for plugins that have none. */
  readonly directory: string | undefined;
  /** Aborted when the start is given up. Observed until `launch` has settled; afterwards the caller has `kill`. */
  readonly signal: AbortSignal;
  /** A bounded line that the worker printed. `truncated`: the line was longer and is cut. */
  onOutput(line: { readonly source: 'stdout' | 'stderr'; readonly text: string; readonly truncated: boolean }): void;
}

/** How a worker ended. */
export interface WorkerExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Set when the process could not be started at all. */
  readonly error?: string;
}

/** A worker that was launched. It need not have said anything yet. */
export interface LaunchedWorker {
  readonly connection: Connection;
  /** Resolves when the worker is gone, its last output was reported, and what it left behind was swept as far as the launcher can; never rejects. */
  readonly exited: Promise<WorkerExit>;
  readonly pid: number | undefined;
  /** The command line, or what stands for it, for people. Never contains a secret. */
  readonly description: string;
  /** Asks the worker to end (SIGTERM to its group). */
  terminate(): void;
  /** Ends the worker by force (SIGKILL to its group). */
  kill(): void;
}

/** Starts workers. Independent of the transport that the worker then speaks over. */
export interface Launcher {
  readonly name: string;
  readonly isolation: IsolationLevel;
  /** Rejects, or returns a worker whose `exited` resolves with `error`, when nothing could be started. */
  launch(request: LaunchRequest): Promise<LaunchedWorker>;
}
