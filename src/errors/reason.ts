/** Why a worker or plugin is not ready: the closed table of reason codes. Each names the operator's next action. */
export const reasonCodes = {
  NOT_STARTED: 'Start the plugin.',
  APPROVAL_REQUIRED: 'Approve or deny the requests of the plan.',
  STARTING: 'Wait until the worker is ready.',
  STOPPED: 'Start the plugin when it is wanted again.',
  DISABLED: 'Enable the plugin.',
  DRAINING: 'Wait until the worker has stopped.',
  SPAWN_FAILED: 'Check that the entry point exists and that its interpreter is installed.',
  START_TIMEOUT: 'Raise startTimeoutMs, or find out what the plugin does before it is ready.',
  HANDSHAKE_FAILED: "Check the version of the plugin's SDK.",
  LOAD_FAILED: "Read the plugin's error and its log; on_load failed.",
  EXITED: "Read the plugin's log; its process ended by itself.",
  KILLED_BY_SIGNAL: 'Find out who sent the signal; the kernel does so when memory runs out.',
  CHANNEL_CLOSED: 'Read the log; the plugin closed its channel while its process went on.',
  DISCONNECTED: 'Wait for the worker to dial in again; look for what interrupts its network, or whether it still runs.',
  HEARTBEAT_MISSED: 'The worker answered no ping; look for blocking native code or a stopped process.',
  PROTOCOL_ERROR: 'The worker broke the protocol; update its SDK, and distrust the plugin if that does not help.',
  SLOW_READER: 'The worker does not read what is sent to it.',
  CONTENT_CHANGED: 'Install the plugin again: what changed is approved anew.',
  ISOLATION_UNAVAILABLE: 'Lower min_isolation or provide what the isolation level needs.',
  HOST_STOPPED: 'The host is stopping.',
} as const;

/** A code of the reason table. */
export type ReasonCode = keyof typeof reasonCodes;

/** Why something is not ready: one object, the same in errors, notifications and inspection. */
export interface Reason {
  /** What happened. Match on it; never on the message. */
  readonly code: ReasonCode;
  /** A sentence for a person. */
  readonly message: string;
  /** Since when, as ISO 8601 time. */
  readonly since: string;
  /** The status that the process ended with; null while it runs, or where a signal ended it. */
  readonly exitCode: number | null;
  /** The name of the signal that ended the process, as `SIGKILL`. */
  readonly signal: string | null;
  /** The last lines that the worker wrote to standard error, at most 8 KiB. */
  readonly stderrTail: string;
  /** How often the worker was restarted since it was last stable. */
  readonly restarts: number;
  /** When the next attempt is planned, as ISO 8601 time; null when none is. */
  readonly nextRetryAt: string | null;
  /** What to do about it. */
  readonly action: string;
}
