/** What the commands exit with (docs/cli.md). Other tools rely on it: a status never changes its meaning. */
export const exitStatus = {
  /** Valid; or the call gave its result. */
  ok: 0,
  /** Not valid; or the plugin could not be started, or the call failed. */
  failed: 1,
  /** The command was called wrongly: an option, or something that an option or the path names, is not usable. */
  usage: 2,
  /** As a process that was ended by SIGHUP. */
  hungUp: 129,
  /** As a process that was ended by SIGINT. */
  interrupted: 130,
  /** As a process that was ended by SIGPIPE: whoever read standard output has left. */
  readerGone: 141,
  /** As a process that was ended by SIGTERM. */
  terminated: 143,
} as const;

/** One of {@link exitStatus}. */
export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];
