import type { Stats } from 'node:fs';
import { link, lstat, unlink } from 'node:fs/promises';
import net from 'node:net';
import { basename, dirname, join } from 'node:path';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { withFolderLock } from './folder-lock.js';
import { ownUid } from './safe-folder.js';

/** How long a socket that is found at the path may take to accept or to refuse. */
const probeTimeoutMs = 2_000;

/**
 * Gives the listening socket `made` its place at `path`, by a hard link, which replaces nothing: of two processes that do this at once, one gets EEXIST.
 *
 * What lies at the path is removed only if it is a socket of this user that refuses connections. Such a one stays dead: a listener is linked there only
 * while it listens, and unlinked before it stops. And it stays there: removing it needs a lock, so that nobody removes the live one that another process
 * has put in its place meanwhile.
 *
 * @throws INVALID_STATE if the place is taken, with what to do about it.
 */
export async function placeSocket(made: string, path: string): Promise<void> {
  if (await linkIfFree(made, path)) return;
  await withFolderLock(join(dirname(path), `.${basename(path)}.lock`), async () => {
    await removeStale(path);
    if (!(await linkIfFree(made, path))) throw taken(path, 'another process has just begun to listen there; stop it, or choose another path');
  });
}

async function linkIfFree(made: string, path: string): Promise<boolean> {
  try {
    await link(made, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new WorkerRuntimeError('INVALID_STATE', `Cannot listen at unix:${path}: ${(error as Error).message}`, { cause: error });
  }
}

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw taken(path, `it is ${nameOf(found)}, not a socket; move it away, or choose another path`);
  if (found.uid !== ownUid()) throw taken(path, `its socket belongs to the user ${found.uid}; choose another path`);
  if (await answers(path)) throw taken(path, 'a process listens there; stop it, or choose another path');
  await unlink(path).catch(() => {});
}

/** Whether a socket is alive. Only a refusal says that it is not: who cannot be asked, or is too busy to answer, lives. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    const end = (alive: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(alive);
    };
    const timer = setTimeout(() => end(true), probeTimeoutMs);
    socket.once('connect', () => end(true));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'));
  });
}

function nameOf(status: Stats): string {
  if (status.isSymbolicLink()) return 'a symlink';
  if (status.isDirectory()) return 'a folder';
  return status.isFile() ? 'a file' : 'something else';
}

function taken(path: string, why: string): WorkerRuntimeError {
  return new WorkerRuntimeError('INVALID_STATE', `Cannot listen at unix:${path}: ${why}.`);
}
