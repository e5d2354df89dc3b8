/** One level's function, in pino's shape: fields first, then the message. */
export type LogFunction = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** Where the host writes its log and the workers' logs. A pino logger fits as it is. */
export interface Logger {
  readonly debug: LogFunction;
  readonly info: LogFunction;
  readonly warn: LogFunction;
  readonly error: LogFunction;
}

/** A logger that says nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
