import { isAbsolute } from 'node:path';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Connection } from '../interfaces/transport.js';

/** Opens a connection to the host, again and again. */
export type Dialler = (options: { readonly signal: AbortSignal }) => Promise<Connection>;

/** Whether a channel of `SYNAPSE_WORKER_CHANNEL` is an address that can be dialled again when the connection is lost. */
export function isDialled(channel: string): boolean {
  return /^(unix:|wss?:\/\/)/.test(channel);
}

/**
 * How to reach the host at `unix:/PATH`, `wss://…` or (on loopback only) `ws://…`. The transport is loaded when it is first used.
 * @throws WorkerRuntimeError `INVALID_ARGUMENT` for any other channel.
 */
export function channelDialler(channel: string): Dialler {
  if (channel.startsWith('unix:') && isAbsolute(channel.slice('unix:'.length))) {
    return async (options) => {
      const { unixTransport } = await import('../../transports/unix/unix-transport.js');
      return unixTransport().dial(channel, options);
    };
  }
  if (/^wss?:\/\//.test(channel)) {
    return async (options) => {
      const { webSocketTransport } = await import('../../transports/websocket/websocket-transport.js');
      return webSocketTransport().dial(channel, options);
    };
  }
  throw new WorkerRuntimeError(
    'INVALID_ARGUMENT',
    `"${channel.replace(/[?#].*$/, '')}" is no address that a worker can dial; use unix:/PATH or wss://HOST[:PORT]/PATH.`,
  );
}
