import type { ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { Duplex, Readable } from 'node:stream';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { LaunchedWorker, Stragglers, WorkerExit } from '../interfaces/launcher.js';
import type { Connection } from '../interfaces/transport.js';
import { signalGroup } from './process-group.js';
import { type ProcessOutput, readOutput } from './process-output.js';
import type { StragglerSweep } from './straggler-sweep.js';
import { within } from './within.js';

/** How a worker's process ended, and what it left behind. */
export interface ProcessExit extends WorkerExit {
  /** Processes that the worker had started and that outlived it: `killed` by the launcher's sweep, `left` in spite of it. */
  readonly stragglers: Stragglers;
}

/** A worker that runs in a process of its own. */
export interface LaunchedProcess extends LaunchedWorker {
  /** Resolves after the process has ended, its remaining output was read, what it left behind was swept, and its private folder was removed. */
  readonly exited: Promise<ProcessExit>;
  /** Id of the process, which is also that of its process group and session. */
  readonly pid: number;
}

/** What a launched process is made of. */
export interface LaunchedProcessParts {
  readonly child: ChildProcess;
  readonly pid: number;
  /** From the process table; undefined where there is none. */
  readonly startTime: number | undefined;
  readonly workerId: string;
  readonly channel: Duplex;
  readonly connection: Connection;
  /** Those of its outputs that are log. */
  readonly outputs: readonly ('stdout' | 'stderr')[];
  readonly description: string;
  readonly privateFolder: string;
  readonly output: { readonly maxLineBytes: number; readonly maxBytesPerSecond: number };
  readonly drainTimeoutMs: number;
  readonly sweeper: StragglerSweep;
  onOutput(line: { readonly source: 'stdout' | 'stderr'; readonly text: string; readonly truncated: boolean }): void;
}

/** How long an exit waits for the private folder to be gone; the worker may have left millions of files in it. Removing goes on afterwards. */
const removeFolderTimeoutMs = 1_000;

/** Watches over a process that was just spawned. Must be called in the turn of the spawn, so that no exit is missed. */
export function watchProcess(parts: LaunchedProcessParts): LaunchedProcess {
  const { child } = parts;
  const streams = parts.outputs.map((source) => {
    const stream = child[source] as Readable;
    return { stream, output: readOutput(stream, { ...parts.output, onLine: (line) => parts.onOutput({ source, ...line }) }) };
  });
  // Listened to from the first turn on. 'exit' and not 'close': a grandchild may hold the pipes open for as long as it likes.
  const exit = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => child.once('exit', (...how) => resolve(how)));
  // After 'spawn' an 'error' only says that a signal could not be sent.
  child.on('error', () => {});
  return {
    connection: parts.connection,
    pid: parts.pid,
    description: parts.description,
    exited: exit.then(([exitCode, signal]) => cleanUp(parts, streams, exitCode, signal)),
    terminate: () => void signalGroup(child, 'SIGTERM'),
    kill: () => void signalGroup(child, 'SIGKILL'),
  };
}

async function cleanUp(
  parts: LaunchedProcessParts,
  streams: readonly { readonly stream: Readable; readonly output: ProcessOutput }[],
  exitCode: number | null,
  signal: string | null,
): Promise<ProcessExit> {
  const { pid, startTime, workerId, channel } = parts;
  for (const { output } of streams) output.hurry();
  const [stragglers] = await Promise.all([
    startTime === undefined ? { killed: 0, left: 0 } : parts.sweeper.sweep({ workerId, pid, startTime }),
    drain([channel, ...streams.map(({ stream }) => stream)], parts.drainTimeoutMs),
  ]);
  for (const { output } of streams) output.stop();
  // Whoever still holds the other end is not the worker.
  if (!channel.destroyed) channel.destroy(new Error('the worker has exited'));
  await within(removeFolderTimeoutMs, rm(parts.privateFolder, { recursive: true, force: true }));
  return { exitCode, signal, stragglers };
}

/** Waits until the streams have ended, but not for ever. */
async function drain(streams: readonly Readable[], timeoutMs: number): Promise<void> {
  await within(
    timeoutMs,
    Promise.all(streams.map((stream) => (stream.closed ? undefined : new Promise((resolve) => stream.once('close', resolve))))),
  );
  // In a host that was busy all that time, the timer fires before a single byte was read.
  for (let turn = 0; turn < 4; turn += 1) await endOfTurn();
}
