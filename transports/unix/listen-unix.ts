import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, lstat, rm, rmdir, unlink } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { Connection, TransportListener } from '../../src/interfaces/transport.js';
import { fromDuplex } from '../byte-stream/duplex-connection.js';
import { placeSocket } from './place-socket.js';
import { makePrivateFolder, safeFolder } from './safe-folder.js';
import { checkPathLength, readUnixAddress } from './socket-path.js';
import type { UnixSettings } from './unix-options.js';

type Accept = (connection: Connection) => void;

/** See `Transport.listen`. */
export async function listenUnix(address: string, settings: UnixSettings, accept: Accept): Promise<TransportListener> {
  const wanted = readUnixAddress(address) || unpredictablePath(settings.directory ?? tmpdir());
  const parentIsOurs = await makeMissing(dirname(wanted));
  const parent = await safeFolder(dirname(wanted), { strict: true });
  const path = join(parent, basename(wanted));
  const folder = join(parent, `.${randomBytes(4).toString('hex')}`);
  const made = join(folder, 's');
  let server: net.Server | undefined;
  try {
    for (const each of [path, made]) checkPathLength(each);
    await makePrivateFolder(folder);
    server = await bind(made, path, settings, accept);
    const own = await lstat(made);
    await placeSocket(made, path);
    return listener(server, path, async () => {
      const there = await lstat(path).catch(() => undefined);
      if (there !== undefined && there.ino === own.ino && there.dev === own.dev) await unlink(path).catch(() => {});
      // Not recursively: whatever else lies there by now is not ours.
      if (parentIsOurs) await rmdir(parent).catch(() => {});
    });
  } catch (error) {
    server?.close();
    if (parentIsOurs) await rmdir(parent).catch(() => {});
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A socket in a folder that does not exist yet and that nobody can have planted: 128 bits. */
function unpredictablePath(parent: string): string {
  return join(parent, `synapse-${randomBytes(16).toString('base64url')}`, 's');
}

/** Makes the folder of a socket where there is none, private to this user. @returns whether it was made. */
async function makeMissing(folder: string): Promise<boolean> {
  const there = await lstat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (there !== undefined) return false;
  await safeFolder(dirname(folder), { strict: false });
  await makePrivateFolder(folder);
  return true;
}

/**
 * Listens at `made`, which lies in a private folder: from the first moment on nobody else can connect, whatever the umask is.
 *
 * @param path the place where the socket is reached in the end, for the descriptions of peers.
 */
async function bind(made: string, path: string, settings: UnixSettings, accept: Accept): Promise<net.Server> {
  let count = 0;
  const server = net.createServer((socket) => {
    count += 1;
    const connection = fromDuplex(socket, { peer: { description: `unix:${path}#${count}` }, closeTimeoutMs: settings.closeTimeoutMs });
    try {
      accept(connection);
    } catch {
      // The listener serves the others too.
      connection.close({ abort: true });
    }
  });
  server.maxConnections = settings.maxConnections;
  server.listen(made);
  try {
    await once(server, 'listening');
    await chmod(made, 0o600);
  } catch (error) {
    server.close();
    throw new WorkerRuntimeError('INVALID_STATE', `Cannot listen at unix:${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  // An accept that fails, as for want of descriptors, is that connection's misfortune; the next one may succeed.
  server.on('error', () => {});
  return server;
}

function listener(server: net.Server, path: string, remove: () => Promise<void>): TransportListener {
  let closed: Promise<void> | undefined;
  return {
    address: `unix:${path}`,
    close() {
      // Removed first: while the server listens, the number of its file belongs to no other. The server has closed only when the last connection that it
      // accepted has ended, and that is not awaited.
      closed ??= remove().finally(() => void server.close());
      return closed;
    },
  };
}
