import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Runs `work` with all threads of the processes on one core, where `taskset` is there: both sides of a call with one in flight take turns anyway, and the
 * kernel's choice of cores would decide its latency otherwise.
 * @template T @param {readonly number[]} pids @param {() => Promise<T>} work @returns {Promise<T>}
 */
export async function pinned(pids, work) {
  let allowed;
  try {
    const { stdout } = await run('taskset', ['-cp', String(process.pid)]);
    allowed = stdout.trim().split(' ').pop();
  } catch {
    return work();
  }
  const core = /** @type {string} */ (allowed).split(/[,-]/).pop();
  const pin = (cores) => Promise.all([...new Set(pids)].map((pid) => run('taskset', ['-acp', cores, String(pid)])));
  await pin(core);
  try {
    return await work();
  } finally {
    await pin(allowed);
  }
}
