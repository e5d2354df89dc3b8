/** A way to call an echo in another process. */
export interface Peer {
  readonly name: string;
  /** Starts the other process; `echo` answers with its params. */
  start(): Promise<RunningPeer>;
}

/** An echo that runs. */
export interface RunningPeer {
  echo(params: unknown): Promise<unknown>;
  stop(): Promise<void>;
}
