import type { Connection } from './transport.js';

/** How strongly a worker is kept apart from the host (docs/lifecycle.md). */
export type IsolationLevel = 'none' | 'process' | 'sandbox' | 'external';

/** What the host asks a launcher to start. */
export interface LaunchRequest {
  /** Id of the manifest. The worker finds it in `SYNAPSE_WORKER_PLUGIN_ID` (docs/protocol.md, section 12). */
  readonly pluginId: string;
  /** Version of the manifest. The worker finds it in `SYNAPSE_WORKER_PLUGIN_VERSION`. */
  readonly pluginVersion: string;
  /** Unique per incarnation. */
  readonly workerId: string;
  /** Counts the incarnations of the plugin's worker, from 1. */
  readonly generation: number;
  /** The runtime section of the manifest, validated. Its entry is empty for a worker that dials in where the manifest names none. */
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

/** Processes that a worker had started and that outlived it. */
export interface Stragglers {
  /** Ended by the launcher's sweep. */
  readonly killed: number;
  /** Still running in spite of it. */
  readonly left: number;
}

/** How a worker ended. */
export interface WorkerExit {
  /** The status that the process ended with; null where a signal ended it, or where it never ran. */
  readonly exitCode: number | null;
  /** The name of the signal that ended it, as `SIGKILL`; null where none did. */
  readonly signal: string | null;
  /** Set when the process could not be started at all. */
  readonly error?: string;
  /** Where the launcher looks for such. */
  readonly stragglers?: Stragglers;
}

/** A worker that was launched. It need not have said anything yet. */
export interface LaunchedWorker {
  /** The pipe to the worker. The launcher has not called its `start`; whoever asked for the launch does. */
  readonly connection: Connection;
  /** Resolves when the worker is gone, its last output was reported, and what it left behind was swept as far as the launcher can; never rejects. */
  readonly exited: Promise<WorkerExit>;
  /** Id of the worker's process; undefined where it has none of its own. */
  readonly pid: number | undefined;
  /** The command line, or what stands for it, for people. Never contains a secret. */
  readonly description: string;
  /** Asks the worker to end (SIGTERM to its group). */
  terminate(): void;
  /** Ends the worker by force (SIGKILL to its group). */
  kill(): void;
  /**
   * Only where the worker's session is all that the host has of it, as of one that dialled in: called when the session is over for good, and what
   * was said last is flushed or given up. `exited` resolves then, and nobody waits for the end of a process.
   */
  sessionOver?(): void;
  /** Only where a connection can be lost without the worker: breaks it off, and reports it as lost. For one that brings nothing any more. */
  breakOff?(message: string): void;
}

/** Starts workers. Independent of the transport that the worker then speaks over. */
export interface Launcher {
  /** For messages and logs, as `process`; the runtime never branches on it. */
  readonly name: string;
  /** The level of every worker that it starts. A manifest with a higher `min_isolation` is refused. */
  readonly isolation: IsolationLevel;
  /** Rejects, or returns a worker whose `exited` resolves with `error`, when nothing could be started. */
  launch(request: LaunchRequest): Promise<LaunchedWorker>;
}
