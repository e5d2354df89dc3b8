import type { ChildProcess } from 'node:child_process';

/**
 * Sends `signal` to the process group that `child` leads (it was spawned `detached`). After the child was reaped nothing is sent: its number may
 * belong to a stranger by then.
 *
 * @returns whether the signal was sent.
 */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): boolean {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false;
  try {
    return process.kill(-child.pid, signal);
  } catch {
    // Nobody is left in the group, or all of them have changed their user: the sweep after the exit says what remains.
    return false;
  }
}
