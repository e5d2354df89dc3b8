import { listProcesses, type ProcessRecord, readEnvironment, readProcess } from './process-table.js';
import { workerMarkerName } from './worker-environment.js';

/** A worker whose process has been reaped. */
export interface SweepTarget {
  readonly workerId: string;
  /** Its pid, which was also the number of its process group and session. */
  readonly pid: number;
  /** When it was started; nothing older is looked at. */
  readonly startTime: number;
}

/** What a sweep did. */
export interface SweepResult {
  /** Processes that the worker had left behind and that were killed. */
  readonly killed: number;
  /** Processes that were still there at the end. */
  readonly left: number;
}

/**
 * Ends what workers leave behind after their exit: members of their process group and session, and daemons that left both but carry the worker's
 * marker in their environment. Best effort: a process that clears its environment *and* leaves the session gets away; only a sandbox prevents that.
 */
export interface StragglerSweep {
  /** Never rejects. */
  sweep(target: SweepTarget): Promise<SweepResult>;
}

interface Waiting {
  readonly target: SweepTarget;
  readonly killed: Set<string>;
  passes: number;
  resolve(result: SweepResult): void;
}

const maxPasses = 10;

/** One reading of the process table serves all workers that wait for it, so that fifty crashes at once cost what one does. */
export function stragglerSweep(): StragglerSweep {
  let waiting: Waiting[] = [];
  let running = false;

  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const found = await findStragglers(batch.map(({ target }) => target)).catch(() => batch.map(() => []));
      for (const [index, entry] of batch.entries()) {
        const stragglers = found[index]!;
        for (const straggler of stragglers) if (killExactly(straggler)) entry.killed.add(`${straggler.pid}/${straggler.startTime}`);
        entry.passes += 1;
        if (stragglers.length > 0 && entry.passes < maxPasses) waiting.push(entry);
        else entry.resolve({ killed: entry.killed.size, left: stragglers.length });
      }
      // A killed process needs a moment to disappear, and one that was just forking has left another.
      if (waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, 5 * waiting[0]!.passes));
    }
    running = false;
  };

  return {
    sweep: (target) =>
      new Promise((resolve) => {
        waiting.push({ target, killed: new Set(), passes: 0, resolve });
        if (running) return;
        running = true;
        void run();
      }),
  };
}

async function findStragglers(targets: readonly SweepTarget[]): Promise<ProcessRecord[][]> {
  const oldest = Math.min(...targets.map((target) => target.startTime));
  const processes = (await listProcesses()).filter((candidate) => candidate.pid !== process.pid && candidate.startTime >= oldest);
  const markers = new Map(targets.map((target, index) => [`${workerMarkerName}=${target.workerId}`, index]));
  // A number is not given to a new process while a group or session still bears it. So, unless a process of that very number lives (then it was
  // given anew), whoever is in the group or session descends from the worker.
  const groups = new Map(targets.flatMap((target, index) => (readProcess(target.pid) === undefined ? [[target.pid, index] as const] : [])));
  const found: ProcessRecord[][] = targets.map(() => []);
  await Promise.all(
    processes.map(async (candidate) => {
      const index = groups.get(candidate.session) ?? groups.get(candidate.group) ?? (await markedBy(candidate, markers));
      if (index !== undefined && candidate.startTime >= targets[index]!.startTime) found[index]!.push(candidate);
    }),
  );
  return found;
}

async function markedBy(candidate: ProcessRecord, markers: ReadonlyMap<string, number>): Promise<number | undefined> {
  for (const entry of await readEnvironment(candidate.pid)) {
    const index = markers.get(entry);
    if (index !== undefined) return index;
  }
  return undefined;
}

/** Kills this process and none that has its pid by now: the start time is compared right before the signal. */
function killExactly(straggler: ProcessRecord): boolean {
  if (readProcess(straggler.pid)?.startTime !== straggler.startTime) return false;
  try {
    return process.kill(straggler.pid, 'SIGKILL');
  } catch {
    return false;
  }
}
