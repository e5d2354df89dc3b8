import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { terminateRequest } from '../../transports/thread/thread-channel.js';
import type { LaunchedWorker, WorkerExit } from '../interfaces/launcher.js';
import type { Connection } from '../interfaces/transport.js';
import { LineReader, type OutputLine } from './line-reader.js';
import { type ProcessOutput, readOutput } from './process-output.js';
import type { StragglerSweep } from './straggler-sweep.js';
import { within } from './within.js';

/** What a launched thread is made of. */
export interface LaunchedThreadParts {
  readonly thread: Worker;
  readonly workerId: string;
  /** From the process table; undefined where there is none. */
  readonly hostStartTime: number | undefined;
  readonly connection: Connection;
  readonly description: string;
  readonly privateFolder: string;
  readonly output: { readonly maxLineBytes: number; readonly maxBytesPerSecond: number };
  readonly drainTimeoutMs: number;
  readonly sweeper: StragglerSweep;
  onOutput(line: OutputLine & { readonly source: 'stdout' | 'stderr' }): void;
}

/** How long an exit waits for the private folder to be gone. Removing goes on afterwards. */
const removeFolderTimeoutMs = 1_000;

/** Watches over a thread that was just started. Must be called in the turn of the start, so that no exit is missed. */
export function watchThread(parts: LaunchedThreadParts): LaunchedWorker {
  const { thread } = parts;
  const streams = (['stdout', 'stderr'] as const).map((source) => {
    const stream = thread[source];
    return { stream, output: readOutput(stream, { ...parts.output, onLine: (line) => parts.onOutput({ source, ...line }) }) };
  });
  let killed = false;
  let fault: unknown;
  // What a process would have printed before it died of an uncaught error is an event here. The thrown value is the plugin's: it may be anything.
  thread.on('error', (error: unknown) => {
    fault ??= error ?? 'an uncaught error';
  });
  thread.on('messageerror', () => {});
  const exit = new Promise<number>((resolve) => thread.once('exit', resolve));
  return {
    connection: parts.connection,
    pid: undefined,
    description: parts.description,
    exited: exit.then((exitCode) => cleanUp(parts, streams, killed ? { exitCode: null, signal: 'SIGKILL' } : { exitCode, signal: null }, fault)),
    terminate: () => thread.postMessage(terminateRequest),
    kill() {
      killed = true;
      thread.terminate().catch(() => {});
    },
  };
}

async function cleanUp(
  parts: LaunchedThreadParts,
  streams: readonly { readonly stream: Readable; readonly output: ProcessOutput }[],
  exit: WorkerExit,
  fault: unknown,
): Promise<WorkerExit> {
  const { hostStartTime, workerId } = parts;
  for (const { output } of streams) output.hurry();
  const [stragglers] = await Promise.all([
    // The number of the host's process tells no group of the worker's own: only the marker counts.
    hostStartTime === undefined ? { killed: 0, left: 0 } : parts.sweeper.sweep({ workerId, pid: process.pid, startTime: hostStartTime }),
    drain(streams, parts.drainTimeoutMs),
  ]);
  for (const { output } of streams) output.stop();
  if (fault !== undefined) reportFault(fault, parts);
  await within(removeFolderTimeoutMs, rm(parts.privateFolder, { recursive: true, force: true }));
  return { ...exit, stragglers };
}

/** Puts the error that the thread died of where a process would have printed it: in bounded lines of standard error. */
function reportFault(fault: unknown, parts: LaunchedThreadParts): void {
  const lines = new LineReader({
    maxLineBytes: parts.output.maxLineBytes,
    onLine(line) {
      try {
        parts.onOutput({ source: 'stderr', ...line });
      } catch {
        // A log that fails must not keep the exit from being known.
      }
    },
  });
  lines.push(Buffer.from(faultText(fault).slice(0, 16_384)));
  lines.end();
}

function faultText(fault: unknown): string {
  try {
    return fault instanceof Error ? `Uncaught ${fault.stack ?? `${fault.name}: ${fault.message}`}` : `Uncaught ${String(fault)}`;
  } catch {
    return 'Uncaught error that cannot be shown';
  }
}

/** Waits until the outputs have ended, but not for ever. */
async function drain(streams: readonly { readonly stream: Readable }[], timeoutMs: number): Promise<void> {
  await within(
    timeoutMs,
    Promise.all(
      streams.map(({ stream }) => (stream.readableEnded || stream.closed ? undefined : new Promise((resolve) => stream.once('end', resolve)))),
    ),
  );
  // In a host that was busy all that time, the timer fires before a single byte was read.
  for (let turn = 0; turn < 4; turn += 1) await endOfTurn();
}
