import { fstatSync } from 'node:fs';
import net from 'node:net';
import { isAbsolute } from 'node:path';
import type { Duplex } from 'node:stream';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { Connection } from '../../src/interfaces/transport.js';
import { fromDuplex } from '../byte-stream/duplex-connection.js';
import { readToken, takeLaunchVariables } from './launch-variables.js';
import { moveStdoutAside } from './move-stdout-aside.js';
import { takeStandardStreams } from './standard-streams.js';

/** What a launched worker finds: its way to the host, and who it is. */
export interface WorkerChannel {
  /** Not started yet. */
  readonly connection: Connection;
  /** What to say in `hello.plugin`; undefined where the environment does not tell (a worker that dials in). */
  readonly plugin: { readonly id: string; readonly version: string } | undefined;
  /** The token, where one is needed. It was read from a descriptor or a file, never from the environment. */
  readonly token: string | undefined;
}

/**
 * The worker's side of a launch (docs/protocol.md, section 12), to be called before any code of the plugin runs: takes the channel that the environment
 * names, removes the launch variables from `process.env`, and moves standard output aside, so that whatever the plugin prints goes to standard error.
 *
 * Node marks every descriptor below 16 that it inherits as close-on-exec when it starts, so descriptor 3 does not reach the programs that a plugin spawns.
 * The channel `stdio` cannot be kept from them that way: a child that a plugin starts with `inherit` (as `fork` does by itself) reads and writes the
 * protocol. Prefer `fd`, and start children with pipes.
 *
 * @returns undefined if this process was not launched as a worker (there is no `SYNAPSE_WORKER_CHANNEL`); print `describeLaunch()` then, and exit with 2.
 * @throws WorkerRuntimeError `INVALID_ARGUMENT` if the channel is of a kind that this SDK does not speak, is no stream socket, or the token cannot be read.
 */
export function openWorkerChannel(): WorkerChannel | undefined {
  const launch = takeLaunchVariables();
  if (launch.CHANNEL === undefined) return undefined;
  const channel = openChannel(launch.CHANNEL);
  return {
    connection: fromDuplex(channel, { peer: { description: `the host (${launch.CHANNEL})` } }),
    plugin: launch.PLUGIN_ID === undefined ? undefined : { id: launch.PLUGIN_ID, version: launch.PLUGIN_VERSION ?? '' },
    token: readToken(launch.TOKEN_FD, launch.TOKEN_FILE),
  };
}

function openChannel(channel: string): Duplex {
  if (channel === 'stdio') return takeStandardStreams();
  const socket = openSocket(channel);
  moveStdoutAside();
  return socket;
}

function openSocket(channel: string): net.Socket {
  const [, kind, place = ''] = /^([a-z]+)(?::(.*))?$/s.exec(channel) ?? [];
  if (kind === 'fd' && /^\d{1,5}$/.test(place)) return openDescriptor(Number(place));
  if (kind === 'unix' && isAbsolute(place)) return net.connect({ path: place });
  throw new WorkerRuntimeError(
    'INVALID_ARGUMENT',
    `This SDK cannot take the channel ${JSON.stringify(channel)} of SYNAPSE_WORKER_CHANNEL; it takes fd:NUMBER, unix:/PATH and stdio.`,
  );
}

function openDescriptor(descriptor: number): net.Socket {
  let isSocket: boolean;
  try {
    isSocket = fstatSync(descriptor).isSocket();
  } catch {
    isSocket = false;
  }
  if (isSocket) return new net.Socket({ fd: descriptor });
  throw new WorkerRuntimeError('INVALID_ARGUMENT', `Descriptor ${descriptor}, which SYNAPSE_WORKER_CHANNEL names, is not an open socket.`);
}
