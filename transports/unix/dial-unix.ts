import { lstat } from 'node:fs/promises';
import net from 'node:net';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { Connection } from '../../src/interfaces/transport.js';
import { fromDuplex } from '../byte-stream/duplex-connection.js';
import { ownUid } from './safe-folder.js';
import { readUnixAddress } from './socket-path.js';
import type { UnixSettings } from './unix-options.js';

/** See `Transport.dial`. */
export async function dialUnix(address: string, settings: UnixSettings, signal: AbortSignal | undefined): Promise<Connection> {
  const path = readUnixAddress(address);
  if (path === '') throw new WorkerRuntimeError('INVALID_ARGUMENT', 'The address unix: names no socket to dial; write unix:/absolute/path.');
  checkAborted(address, signal);
  await checkOwner(path, settings.trustedOwners);
  checkAborted(address, signal);
  const socket = await connectSocket(path, signal);
  return fromDuplex(socket, { peer: { description: address }, closeTimeoutMs: settings.closeTimeoutMs });
}

/** A token must not be told to whoever planted a socket, or a link to one, where the host's is expected. */
async function checkOwner(path: string, trusted: readonly number[]): Promise<void> {
  const status = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    throw unreachable(path, error);
  });
  if (!status.isSocket()) {
    const what = status.isSymbolicLink() ? 'a symlink' : 'no socket';
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `${path} is ${what}; dial the socket itself.`);
  }
  if (![ownUid(), 0, ...trusted].includes(status.uid)) {
    throw new WorkerRuntimeError(
      'INVALID_ARGUMENT',
      `The socket ${path} belongs to the user ${status.uid}, who is not trusted here; if that user runs the host, name it in trustedOwners.`,
    );
  }
}

/** Connects, or rejects and leaves nothing open. @throws CONNECTION_LOST, CANCELLED */
function connectSocket(path: string, signal: AbortSignal | undefined): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path });
    const onAbort = (): void => {
      settle();
      socket.destroy();
      reject(cancelled(`unix:${path}`, signal));
    };
    const onError = (error: Error): void => {
      settle();
      reject(unreachable(path, error));
    };
    const onConnect = (): void => {
      settle();
      resolve(socket);
    };
    const settle = (): void => {
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError).off('connect', onConnect);
      // What is given up may still fail, and harms nobody then; what was connected belongs to the connection.
      if (socket.connecting) socket.on('error', () => {});
    };
    socket.once('error', onError).once('connect', onConnect);
    signal?.addEventListener('abort', onAbort);
  });
}

function checkAborted(address: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled(address, signal);
}

function cancelled(address: string, signal: AbortSignal | undefined): WorkerRuntimeError {
  return new WorkerRuntimeError('CANCELLED', `Dialling ${address} was given up.`, { cause: signal?.reason });
}

function unreachable(path: string, cause: NodeJS.ErrnoException): WorkerRuntimeError {
  const nobody = cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED';
  const why = nobody ? `Nobody listens at unix:${path}; start the host, or check the path.` : `unix:${path} cannot be reached: ${cause.message}`;
  return new WorkerRuntimeError('CONNECTION_LOST', why, { cause, details: { address: `unix:${path}`, systemCode: cause.code } });
}
