import { readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';

/** A process as /proc shows it. `pid` and `startTime` together name one process; a pid alone does not. */
export interface ProcessRecord {
  readonly pid: number;
  /** Z: ended and not reaped yet, X: being removed. */
  readonly state: string;
  readonly group: number;
  readonly session: number;
  /** In clock ticks since the system was booted. */
  readonly startTime: number;
}

/** The process with this pid now; undefined if there is none or there is no /proc. */
export function readProcess(pid: number): ProcessRecord | undefined {
  try {
    return parseStat(pid, readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/** All processes of this process's user, without those that have ended. Empty where there is no /proc. */
export async function listProcesses(): Promise<ProcessRecord[]> {
  const user = process.getuid?.();
  const names = await readdir('/proc').catch(() => []);
  const records = await Promise.all(
    names.map(async (name) => {
      const pid = Number(name);
      if (!Number.isInteger(pid)) return undefined;
      try {
        if ((await stat(`/proc/${pid}`)).uid !== user) return undefined;
        return parseStat(pid, await readFile(`/proc/${pid}/stat`, 'latin1'));
      } catch {
        return undefined;
      }
    }),
  );
  return records.filter((record) => record !== undefined && record.state !== 'Z' && record.state !== 'X') as ProcessRecord[];
}

/** The environment that a process was started with, as `NAME=value` entries; empty if it cannot be read. */
export async function readEnvironment(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  return text.split('\0');
}

function parseStat(pid: number, text: string): ProcessRecord | undefined {
  // The name of the program stands in parentheses and may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, , group, session] = fields;
  const startTime = Number(fields[19]);
  if (state === undefined || !Number.isFinite(startTime)) return undefined;
  return { pid, state, group: Number(group), session: Number(session), startTime };
}
