import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Connection, Transport } from '../interfaces/transport.js';

/** A live pair of connections that a transport made, neither of them started. */
export interface TransportPair {
  /** One end. */
  readonly left: Connection;
  /** The other end: what one sends the other receives. */
  readonly right: Connection;
  /**
   * Kills what is behind `right` without any farewell, as SIGKILL or a pulled cable would: destroy the socket, end the thread, silence the client. Leave
   * it out where that cannot be done; the behaviours that need it are skipped then.
   */
  kill?(): void | Promise<void>;
}

/** What a transport can honestly not do. Whatever is not said here is expected of it. */
export interface TransportCapabilities {
  /**
   * False where nothing ever tells that the peer has died, as on a bare message bus. A session then has to find out by its own heartbeat, which takes longer.
   * Default true. Looked at only where pairs have `kill`.
   */
  readonly detectsPeerDeath?: boolean;
  /** False where two listeners may share an address, as the members of a queue group do. Default true. */
  readonly exclusiveAddress?: boolean;
}

/** What one test of the suite works with. A factory makes a fresh one for every test. */
export interface TransportFixture {
  /** Dial and listen are tested too where there is one. Without `open`, pairs are made by listening at `address` and dialling the address of the listener. */
  readonly transport?: Transport;
  /** Where to listen. Default the option `address` of the suite, else an empty string: any free address, for transports that know what that is. */
  readonly address?: string;
  /** Opens a fresh pair. Called once to four times in a test. */
  open?(): TransportPair | Promise<TransportPair>;
  /** Releases what the connections do not own, as a folder or a server. Called once, after all connections of the test have ended. */
  dispose?(): void | Promise<void>;
  /** What the transport cannot do. Default: it can do everything. */
  readonly capabilities?: TransportCapabilities;
}

/** Makes what one test of the suite works with: a transport, or a fixture for whatever is more. */
export type TransportFactory = () => Transport | TransportFixture | Promise<Transport | TransportFixture>;

/** A transport by itself is a fixture with nothing else in it. */
export function asFixture(made: Transport | TransportFixture): TransportFixture {
  const fixture = 'dial' in made ? { transport: made } : made;
  if (fixture.open === undefined && fixture.transport === undefined) {
    throw new WorkerRuntimeError(
      'INVALID_ARGUMENT',
      'The factory of testTransport must return a Transport, or a fixture with `open`, which makes a pair of connections, or with `transport`.',
    );
  }
  return fixture;
}
