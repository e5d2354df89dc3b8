import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex, Readable, Writable } from 'node:stream';
import { fromDuplex } from '../../transports/byte-stream/duplex-connection.js';
import { JoinedStreams } from '../../transports/byte-stream/joined-streams.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Launcher, LaunchRequest } from '../interfaces/launcher.js';
import { coveringDescriptors, inheritedDescriptors } from './inherited-descriptors.js';
import { type Interpreters, interpreters } from './interpreters.js';
import { type BegunWorker, checkAborted, launchInPrivateFolder } from './launch-in-private-folder.js';
import { type LaunchedProcess, watchProcess } from './launched-process.js';
import { readProcess } from './process-table.js';
import { type StragglerSweep, stragglerSweep } from './straggler-sweep.js';
import { withoutStrayOutput } from './stray-output.js';
import { type WorkerCommand, workerCommand } from './worker-command.js';
import { defaultWorkerPath, workerEnvironment } from './worker-environment.js';

/** Options of {@link processLauncher}. */
export interface ProcessLauncherOptions {
  /**
   * Which program runs a runtime type: an absolute path, or a name on the host's PATH. Default for `python` the plugin's `.venv/bin/python`, else
   * `python3` on the host's PATH; for `nodejs` the host's own Node.
   */
  readonly interpreters?: { readonly python?: string; readonly nodejs?: string };
  /** Names of variables of the host that workers get beside LANG, LC_ALL, LC_CTYPE and TZ. Default none. Never pass a secret. */
  readonly passEnv?: readonly string[];
  /** The PATH of workers. Default `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`. */
  readonly path?: string;
  /** Longest line of output; a longer one is cut and marked. Default 8,192 bytes. */
  readonly maxLineBytes?: number;
  /** How fast a worker may print on each of its two outputs before it has to wait. Default 1 MiB per second. */
  readonly maxOutputBytesPerSecond?: number;
  /** How long the channel and the outputs of a process that has exited are still read when something else holds them open. Default 200 ms. */
  readonly drainTimeoutMs?: number;
  /** How long closing a worker's connection may take. Default 2,000 ms. */
  readonly closeTimeoutMs?: number;
}

/** A launcher whose workers are processes. */
export interface ProcessLauncher extends Launcher {
  /** Kept apart by the process alone: the worker has the host's user. */
  readonly isolation: 'process';
  /** Starts a process. @throws START_FAILED, INVALID_ARGUMENT, CANCELLED; nothing of it is left then. */
  launch(request: LaunchRequest): Promise<LaunchedProcess>;
}

/**
 * Starts each worker in a process of its own, in a process group and session of its own, in the plugin's folder, with a stream socket on descriptor 3, an
 * environment built from an allow-list, and no other descriptor of the host. HOME and TMPDIR are a private folder that is removed after the exit.
 *
 * A manifest with `runtime.channel: stdio` gets the protocol on standard input and output instead, for programs that cannot use descriptor 3. Only what
 * it prints to standard error is log then; what it prints to standard output ends the session with a reason that quotes it.
 *
 * `launch` rejects with `START_FAILED` when the entry or its interpreter is missing or not executable, and with `INVALID_ARGUMENT` when the manifest sets
 * a forbidden variable; nothing is left behind then. It observes `request.signal` until it has settled; afterwards the caller has `kill()`.
 *
 * What it cannot do: a worker has the host's user and may read what that user may read. That is what the level `sandbox` is for.
 *
 * @throws WorkerRuntimeError `INVALID_ARGUMENT` if an option is not acceptable.
 */
export function processLauncher(options: ProcessLauncherOptions = {}): ProcessLauncher {
  const settings = checkOptions(options);
  const shared: Shared = {
    settings,
    interpreters: interpreters(options.interpreters ?? {}),
    sweeper: stragglerSweep(),
    inherited: inheritedDescriptors(),
  };
  return { name: 'process', isolation: 'process', launch: (request) => launch(request, shared) };
}

type Settings = Required<Omit<ProcessLauncherOptions, 'interpreters'>>;

interface Shared {
  readonly settings: Settings;
  readonly interpreters: Interpreters;
  readonly sweeper: StragglerSweep;
  /** Read once: what this process inherited was settled when it started. */
  readonly inherited: readonly number[];
}

function checkOptions(options: ProcessLauncherOptions): Settings {
  const settings: Settings = {
    passEnv: options.passEnv ?? [],
    path: options.path ?? defaultWorkerPath,
    maxLineBytes: options.maxLineBytes ?? 8_192,
    maxOutputBytesPerSecond: options.maxOutputBytesPerSecond ?? 1_048_576,
    drainTimeoutMs: options.drainTimeoutMs ?? 200,
    closeTimeoutMs: options.closeTimeoutMs ?? 2_000,
  };
  for (const name of ['maxLineBytes', 'maxOutputBytesPerSecond', 'drainTimeoutMs', 'closeTimeoutMs'] as const) {
    if (!Number.isFinite(settings[name]) || settings[name] < 1)
      throw new WorkerRuntimeError('INVALID_ARGUMENT', `${name} must be a number of at least 1.`);
  }
  const reserved = settings.passEnv.find((name) => name.startsWith('SYNAPSE_WORKER_'));
  if (reserved !== undefined) throw new WorkerRuntimeError('INVALID_ARGUMENT', `passEnv may not name ${reserved}: the launcher sets it itself.`);
  return settings;
}

async function launch(request: LaunchRequest, shared: Shared): Promise<LaunchedProcess> {
  checkAborted(request);
  const command = await workerCommand(request, shared.interpreters);
  const start = async (privateFolder: string): Promise<BegunWorker<LaunchedProcess>> => {
    const child = spawnWorker(request, command, privateFolder, shared);
    // A failed spawn has no pid, and says why in the next turn.
    if (child.pid === undefined) throw (await (once(child, 'error') as Promise<[Error]>))[0];
    return { worker: watch(request, child, child.pid, command, privateFolder, shared), begun: once(child, 'spawn') };
  };
  return launchInPrivateFolder(request, start, (error) => startFailed(request, command, error));
}

function spawnWorker(request: LaunchRequest, command: WorkerCommand, privateFolder: string, shared: Shared): ChildProcess {
  const { settings } = shared;
  const env = workerEnvironment({
    pluginId: request.pluginId,
    pluginVersion: request.pluginVersion,
    workerId: request.workerId,
    runtimeType: request.runtime.type,
    channel: request.runtime.channel === 'stdio' ? 'stdio' : 'fd:3',
    manifestEnv: request.runtime.env,
    privateFolder,
    path: settings.path,
    passEnv: settings.passEnv,
    hostEnv: process.env,
  });
  return coveringDescriptors(shared.inherited, (covered) =>
    spawn(command.program, command.args, {
      cwd: command.folder,
      env,
      stdio: request.runtime.channel === 'stdio' ? ['pipe', 'pipe', 'pipe', 'ignore', ...covered] : ['ignore', 'pipe', 'pipe', 'pipe', ...covered],
      detached: true,
      shell: false,
      windowsHide: true,
    }),
  );
}

function watch(
  request: LaunchRequest,
  child: ChildProcess,
  pid: number,
  command: WorkerCommand,
  privateFolder: string,
  shared: Shared,
): LaunchedProcess {
  const { settings } = shared;
  const overStdio = request.runtime.channel === 'stdio';
  const channel = overStdio ? new JoinedStreams(child.stdout as Readable, child.stdin as Writable) : (child.stdio[3] as Duplex);
  const connection = fromDuplex(channel, { peer: { description: `pid ${pid}` }, closeTimeoutMs: settings.closeTimeoutMs });
  return watchProcess({
    child,
    pid,
    startTime: readProcess(pid)?.startTime,
    workerId: request.workerId,
    channel,
    connection: overStdio ? withoutStrayOutput(connection) : connection,
    outputs: overStdio ? ['stderr'] : ['stdout', 'stderr'],
    description: command.description,
    privateFolder,
    output: { maxLineBytes: settings.maxLineBytes, maxBytesPerSecond: settings.maxOutputBytesPerSecond },
    drainTimeoutMs: settings.drainTimeoutMs,
    sweeper: shared.sweeper,
    onOutput: (line) => request.onOutput(line),
  });
}

function startFailed(request: LaunchRequest, command: WorkerCommand, error: unknown): WorkerRuntimeError {
  const systemCode = (error as NodeJS.ErrnoException | undefined)?.code;
  const message = error instanceof Error ? error.message : String(error);
  return new WorkerRuntimeError('START_FAILED', `The plugin ${request.pluginId} could not be started with ${command.description}: ${message}`, {
    details: { pluginId: request.pluginId, ...(systemCode === undefined ? {} : { systemCode }) },
    cause: error,
  });
}
