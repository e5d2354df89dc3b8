import { lstat, mkdir, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';

const othersMayWrite = 0o022;
const sticky = 0o1000;

/** Makes a folder that only this user can enter. The name must not be taken: what somebody planted there is refused. */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  const { uid, mode } = await lstat(path);
  if (uid === ownUid() && (mode & 0o777) === 0o700) return;
  throw new WorkerRuntimeError('INVALID_STATE', `The folder ${path} did not become private to this user; choose a folder on another file system.`);
}

/**
 * Refuses a folder in which somebody other than this user and root could put, move or remove files: directly, or by exchanging one of the folders
 * above it. (In a sticky folder like /tmp others cannot move what is not theirs, so a private folder may lie in one; `strict` refuses it as the
 * folder itself, since a name in it can be taken beforehand.)
 *
 * @returns the folder with symlinks resolved.
 * @throws INVALID_ARGUMENT with what to do about it.
 */
export async function safeFolder(folder: string, { strict }: { readonly strict: boolean }): Promise<string> {
  const resolved = await realpath(folder).catch(() => undefined);
  if (resolved === undefined) throw new WorkerRuntimeError('INVALID_ARGUMENT', `The folder ${folder} does not exist; make it with mode 0700.`);
  for (let place = resolved; ; place = dirname(place)) {
    await checkFolder(place, strict && place === resolved);
    if (place === dirname(place)) return resolved;
  }
}

async function checkFolder(folder: string, strict: boolean): Promise<void> {
  const status = await lstat(folder);
  if (!status.isDirectory()) throw new WorkerRuntimeError('INVALID_ARGUMENT', `${folder} is not a folder.`);
  if (status.uid !== ownUid() && status.uid !== 0)
    throw unsafe(folder, `belongs to the user ${status.uid}`, 'choose a folder of this user, or listen on unix: for a private one');
  if ((status.mode & othersMayWrite) === 0) return;
  if (!strict && (status.mode & sticky) !== 0) return;
  throw unsafe(
    folder,
    'can be written to by other users',
    'take that away (chmod go-w), make a folder of mode 0700 in it, or listen on unix: for a private one',
  );
}

function unsafe(folder: string, why: string, repair: string): WorkerRuntimeError {
  return new WorkerRuntimeError('INVALID_ARGUMENT', `The folder ${folder} ${why}, who could exchange the socket; ${repair}.`);
}

/** The user whose files are ours. Systems without users have no Unix sockets that Node can listen on either. */
export function ownUid(): number {
  return process.geteuid?.() ?? -1;
}
