import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';

/** Options of `unixTransport`. */
export interface UnixTransportOptions {
  /** Where `listen('unix:')` makes its private folder. Default: the system's folder for temporary files. */
  readonly directory?: string;
  /**
   * Connections that a listener has open at most; further ones are closed at once. Default 16,384. How many of them may go without an accepted hello
   * is the host's concern.
   */
  readonly maxConnections?: number;
  /** User ids, beside this process's own and root's, whose sockets `dial` connects to. Default none. */
  readonly trustedOwners?: readonly number[];
  /** How long `close` of a connection waits for its flush and for the other side's end. Default 2,000 ms. */
  readonly closeTimeoutMs?: number;
}

/** {@link UnixTransportOptions} with the defaults filled in. */
export type UnixSettings = Required<Omit<UnixTransportOptions, 'directory'>> & Pick<UnixTransportOptions, 'directory'>;

/** Fills the defaults in. @throws INVALID_ARGUMENT */
export function unixSettings(options: UnixTransportOptions): UnixSettings {
  const settings: UnixSettings = {
    directory: options.directory,
    maxConnections: options.maxConnections ?? 16_384,
    trustedOwners: options.trustedOwners ?? [],
    closeTimeoutMs: options.closeTimeoutMs ?? 2_000,
  };
  for (const name of ['maxConnections', 'closeTimeoutMs'] as const) {
    if (!Number.isFinite(settings[name]) || settings[name] < 1)
      throw new WorkerRuntimeError('INVALID_ARGUMENT', `${name} must be a number of at least 1.`);
  }
  return settings;
}
