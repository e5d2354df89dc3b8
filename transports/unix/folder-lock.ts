import { lstat, mkdir, rename, rmdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';

/** Whoever has a lock has it for the length of a probe and three system calls. One that is older was left by a process that died. */
const leftAfterMs = 10_000;
const retryMs = 20;

/**
 * Runs `work` while no other process does so under the same lock: a folder, which one process can make. Its parent must be writable by this user only.
 *
 * @throws INVALID_STATE if the lock cannot be had for 20 s.
 */
export async function withFolderLock<T>(lock: string, work: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + 2 * leftAfterMs;
  while (!(await makeFolder(lock))) {
    if (performance.now() > giveUpAt) throw new WorkerRuntimeError('INVALID_STATE', `Another process holds ${lock}; remove it if there is none.`);
    await removeLeft(lock);
    await sleep(retryMs);
  }
  try {
    return await work();
  } finally {
    await rmdir(lock).catch(() => {});
  }
}

async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Of several processes that find it left, one moves it away; what it has moved it looks at again, and gives a fresh one back. */
async function removeLeft(lock: string): Promise<void> {
  if (!(await isLeft(lock))) return;
  const aside = `${lock}.${process.pid}`;
  try {
    await rename(lock, aside);
    if (await isLeft(aside)) await rmdir(aside);
    else await rename(aside, lock);
  } catch {
    // Another one was faster.
  }
}

async function isLeft(path: string): Promise<boolean> {
  const status = await lstat(path).catch(() => undefined);
  return status?.isDirectory() === true && Date.now() - status.mtimeMs > leftAfterMs;
}
