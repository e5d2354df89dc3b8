import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Watches one test file; see {@link watchForLeaks}. */
export interface LeakGuard {
  /** Waits up to `graceMs` for the end of what is on its way out, names all that is left, then removes processes and files, and stops watching. */
  finish(graceMs: number): Promise<string[]>;
}

/**
 * From now on notes what the tests of this process open: child processes (and all processes of the groups that they lead), timers, sockets
 * and other handles that keep Node alive, descriptors, and files below the temporary folder, which becomes one of this file's own.
 */
export function watchForLeaks(): LeakGuard {
  const children = new Set<ChildProcess>();
  const onSpawn = (message: unknown): void => {
    children.add((message as { process: ChildProcess }).process);
  };
  subscribe('child_process', onSpawn);

  const outerTmpdir = process.env.TMPDIR;
  const folder = mkdtempSync(join(tmpdir(), 'synapse-test-'));
  process.env.TMPDIR = folder;

  const handlesBefore = countHandles();
  const descriptorsBefore = openDescriptors();

  const leaks = (): string[] => [
    ...leftoverProcesses(children).map(({ text }) => text),
    ...leftoverHandles(handlesBefore),
    ...leftoverDescriptors(descriptorsBefore),
    ...readdirSync(folder).map((name) => `the temporary file or folder ${name}`),
  ];

  return {
    async finish(graceMs) {
      const giveUpAt = Date.now() + graceMs;
      let left = leaks();
      while (left.length > 0 && Date.now() < giveUpAt) {
        await sleep(20);
        left = leaks();
      }
      for (const { pid } of leftoverProcesses(children)) process.kill(pid, 'SIGKILL');
      unsubscribe('child_process', onSpawn);
      if (outerTmpdir === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = outerTmpdir;
      rmSync(folder, { recursive: true, force: true });
      return left;
    },
  };
}

function leftoverProcesses(children: ReadonlySet<ChildProcess>): { pid: number; text: string }[] {
  const running = [...children].flatMap((child) =>
    child.pid === undefined || child.exitCode !== null || child.signalCode !== null
      ? []
      : [{ pid: child.pid, command: child.spawnargs.join(' ').slice(0, 120) }],
  );
  const leaders = new Set([...children].map((child) => child.pid));
  const own = new Set(running.map(({ pid }) => pid));
  const stragglers = processTable().filter(({ pid, group }) => leaders.has(group) && !own.has(pid));
  return [
    ...running.map(({ pid, command }) => ({ pid, text: `the process ${pid} (${command})` })),
    ...stragglers.map(({ pid, group, name }) => ({ pid, text: `the process ${pid} (${name}) of the group of child ${group}` })),
  ];
}

/** All processes with their groups, zombies left out; empty where there is no /proc. */
function processTable(): { pid: number; group: number; name: string }[] {
  return listing('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return state === 'Z' ? [] : [{ pid: Number(entry), group: Number(group), name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')) }];
    } catch {
      return []; // It ended meanwhile.
    }
  });
}

/** Handles and timers that keep the event loop alive, by kind. Requests on the file system come and go and hold nothing. */
function countHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!kind.startsWith('FSReq') && kind !== 'Immediate') counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

function leftoverHandles(before: ReadonlyMap<string, number>): string[] {
  return [...countHandles()].flatMap(([kind, count]) => {
    const more = count - (before.get(kind) ?? 0);
    return more > 0 ? [`${more} × ${kind} (a timer, socket or other handle that is still active)`] : [];
  });
}

function openDescriptors(): Set<string> {
  return new Set(
    listing('/proc/self/fd').flatMap((descriptor) => {
      try {
        return [`${descriptor} → ${readlinkSync(`/proc/self/fd/${descriptor}`)}`];
      } catch {
        return []; // The one that the listing itself used.
      }
    }),
  );
}

function leftoverDescriptors(before: ReadonlySet<string>): string[] {
  const left = [...openDescriptors()].filter((entry) => !before.has(entry) && !/anon_inode|\/dev\/|\/proc\//.test(entry));
  return left.map((entry) => `the descriptor ${entry}`);
}

function listing(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
