import type { Transport } from '../../src/interfaces/transport.js';
import { dialUnix } from './dial-unix.js';
import { listenUnix } from './listen-unix.js';
import { type UnixTransportOptions, unixSettings } from './unix-options.js';

/**
 * Unix sockets, as `unix:/absolute/path`. Only the user of this process (and root) can connect to a socket that it listens on: the socket is made in a
 * folder that nobody else can enter, gets the mode 0600, and is put in its place only then.
 *
 * - `listen('unix:')`, and an empty address, listen in a folder of an unpredictable name; `address` of the listener says where.
 * - `listen('unix:/path')` wants a folder that only its owner, this user or root, can write to; a missing one is made, with mode 0700. A socket that a dead process left is replaced; a live
 *   one, and anything else at the path, is not touched: `INVALID_STATE`. On close the socket is removed if it is still the one that was made,
 *   and so is the folder if it was made for it.
 * - `dial('unix:/path')` connects to a socket of this user, of root or of `trustedOwners`, and to nothing that a symlink stands for.
 *
 * @throws WorkerRuntimeError `INVALID_ARGUMENT` if an option is not acceptable. `dial` and `listen` reject with `INVALID_ARGUMENT` for an address or
 * folder that is not acceptable, `dial` with `CONNECTION_LOST` if nobody listens, and with `CANCELLED`.
 */
export function unixTransport(options: UnixTransportOptions = {}): Transport {
  const settings = unixSettings(options);
  return {
    name: 'unix',
    dial: (address, { signal } = {}) => dialUnix(address, settings, signal),
    listen: (address, accept) => listenUnix(address, settings, accept),
  };
}
