/** One level's function, in pino's shape: fields first, then the message. */
export type LogFunction = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** Where the host writes its log and the workers' logs. A pino logger fits as it is. */
export interface Logger {
  /** For whoever looks for a fault. */
  readonly debug: LogFunction;
  /** For what happens in the ordinary course; what a plugin prints to standard output is one of it. */
  readonly info: LogFunction;
  /** For what somebody should look at; what a plugin prints to standard error is one of it. */
  readonly warn: LogFunction;
  /** For what failed; lines that a plugin logs as `fatal` come here too. */
  readonly error: LogFunction;
}

/** A logger that says nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
