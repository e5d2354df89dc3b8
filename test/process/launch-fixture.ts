import { fileURLToPath } from 'node:url';
import { afterEach, expect } from 'vitest';
import type { LaunchRequest } from '../../src/interfaces/launcher.js';
import type { CloseReason } from '../../src/interfaces/transport.js';
import type { LaunchedProcess } from '../../src/node/launched-process.js';
import { type ProcessLauncher, type ProcessLauncherOptions, processLauncher } from '../../src/node/process-launcher.js';
import { listProcesses, readEnvironment } from '../../src/node/process-table.js';

/** The folder of the small programs that stand for plugins. */
export const programs = fileURLToPath(new URL('../fixtures/programs/', import.meta.url));

let count = 0;

/** A launch request for one of the programs. */
export function request(entry: string, changes: Partial<LaunchRequest['runtime']> & Partial<Omit<LaunchRequest, 'runtime'>> = {}): LaunchRequest {
  count += 1;
  const { type = entry.endsWith('.py') ? 'python' : 'nodejs', args = [], env = {}, channel = 'fd', entry: _, ...others } = changes;
  return {
    pluginId: 'fixture',
    pluginVersion: '1.2.3',
    workerId: `test-${process.pid}-${count}`,
    generation: 1,
    runtime: { type, entry, args, env, channel },
    directory: programs,
    signal: new AbortController().signal,
    onOutput() {},
    ...others,
  };
}

/** A launched program with its channel started and everything it says gathered. */
export interface RunningProgram {
  readonly worker: LaunchedProcess;
  readonly request: LaunchRequest;
  readonly lines: { source: string; text: string; truncated: boolean }[];
  readonly ends: CloseReason[];
  received(): Buffer;
  until(condition: () => boolean): Promise<void>;
}

const running = new Set<RunningProgram>();

let launcher: ProcessLauncher | undefined;

/** The launcher of a file's tests: one, as in a host, so that interpreters are looked for once. */
export function defaultLauncher(): ProcessLauncher {
  launcher ??= processLauncher();
  return launcher;
}

/** Launches a program and starts its connection. Whatever the test does, the program is gone after it. */
export async function run(entry: string, changes: Parameters<typeof request>[1] = {}, options?: ProcessLauncherOptions): Promise<RunningProgram> {
  const lines: RunningProgram['lines'] = [];
  const ends: CloseReason[] = [];
  const chunks: Uint8Array[] = [];
  const launchRequest = request(entry, { onOutput: (line) => void lines.push(line), ...changes });
  const worker = await (options === undefined ? defaultLauncher() : processLauncher(options)).launch(launchRequest);
  worker.connection.start({ onData: (chunk) => void chunks.push(chunk), onWritable() {}, onClose: (reason) => void ends.push(reason) });
  const program: RunningProgram = {
    worker,
    request: launchRequest,
    lines,
    ends,
    received: () => Buffer.concat(chunks),
    async until(condition) {
      while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
    },
  };
  running.add(program);
  return program;
}

async function marked(): Promise<number[]> {
  const processes = await listProcesses();
  const environments = await Promise.all(processes.map(({ pid }) => readEnvironment(pid)));
  return processes
    .filter((_, index) => environments[index]!.some((entry) => entry.startsWith(`SYNAPSE_WORKER_ID=test-${process.pid}-`)))
    .map(({ pid }) => pid);
}

/**
 * After each test of the file: every program that it ran has ended, and so has whatever carries its marker, in any session. (Handles, timers and
 * temporary files are watched for all test files by the leak guard.)
 */
export function leaveNothingBehind(): void {
  afterEach(async () => {
    for (const { worker } of running) {
      worker.kill();
      await worker.exited;
      worker.connection.close({ abort: true });
    }
    running.clear();
    expect(await marked()).toEqual([]);
  });
}
