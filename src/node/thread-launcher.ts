import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { fromMessagePort } from '../../transports/thread/port-connection.js';
import { channelPortName, threadChannelName } from '../../transports/thread/thread-channel.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { LaunchedWorker, Launcher, LaunchRequest } from '../interfaces/launcher.js';
import { type BegunWorker, checkAborted, launchInPrivateFolder } from './launch-in-private-folder.js';
import { watchThread } from './launched-thread.js';
import { readProcess } from './process-table.js';
import { type StragglerSweep, stragglerSweep } from './straggler-sweep.js';
import { type WorkerCommand, workerCommand } from './worker-command.js';
import { defaultWorkerPath, workerEnvironment } from './worker-environment.js';

/** What a thread may use of V8. Memory outside it, such as array buffers and WebAssembly, counts for none of these. */
export interface ThreadResourceLimits {
  /** Heap for what lives long. Default 256 MiB. */
  readonly maxOldGenerationSizeMb?: number;
  /** Heap for what is new. Default 32 MiB. */
  readonly maxYoungGenerationSizeMb?: number;
  /** Room for generated code. Default 32 MiB. */
  readonly codeRangeSizeMb?: number;
  /** Stack. Default 4 MiB. */
  readonly stackSizeMb?: number;
}

/** Options of {@link threadLauncher}. */
export interface ThreadLauncherOptions {
  /** A thread that goes beyond them ends; the process goes on. */
  readonly resourceLimits?: ThreadResourceLimits;
  /** Names of variables of the host that workers get beside LANG, LC_ALL, LC_CTYPE and TZ. Default none. Never pass a secret. */
  readonly passEnv?: readonly string[];
  /** The PATH of workers. Default `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`. */
  readonly path?: string;
  /** Longest line of output; a longer one is cut and marked. Default 8,192 bytes. */
  readonly maxLineBytes?: number;
  /** How fast a worker's output is read, each of the two. What it prints faster waits in its own heap. Default 1 MiB per second. */
  readonly maxOutputBytesPerSecond?: number;
  /** How long the outputs of a thread that has ended are still read. Default 200 ms. */
  readonly drainTimeoutMs?: number;
  /** How long closing a worker's connection may take. Default 2,000 ms. */
  readonly closeTimeoutMs?: number;
}

/** A launcher whose workers are threads of this process. */
export interface ThreadLauncher extends Launcher {
  /** None: a thread has the memory, the descriptors and the rights of the host. */
  readonly isolation: 'none';
  /** Starts a thread. @throws START_FAILED, INVALID_ARGUMENT, CANCELLED; nothing of it is left then. */
  launch(request: LaunchRequest): Promise<LaunchedWorker>;
}

/**
 * Starts each worker as a thread of this very process (`worker_threads`): it starts in a few milliseconds and is the fastest to talk to, and it is
 * **no isolation at all**. A thread can read and close the host's descriptors, end the process and exhaust its memory; the resource limits catch
 * mistakes only. For plugins that are trusted as the host itself, and refused to a manifest that wants a `min_isolation`.
 *
 * Only Node plugins (`runtime.type: nodejs`) run in threads. They call `serve` as always; the channel is a MessagePort. The environment is built from an
 * allow-list, as for processes, and HOME and TMPDIR are a private folder; the current directory is the host's, since threads share it. Arguments are in
 * `process.argv`. `terminate` emits `SIGTERM` on the thread's `process`; `kill` stops the thread wherever it is. What it had started as processes of their own is
 * looked for by its marker and ended.
 *
 * `launch` rejects with `START_FAILED` when the entry is missing or no Node program, and with `INVALID_ARGUMENT` when the manifest sets a forbidden variable.
 *
 * @throws WorkerRuntimeError `INVALID_ARGUMENT` if an option is not acceptable.
 */
export function threadLauncher(options: ThreadLauncherOptions = {}): ThreadLauncher {
  const settings = checkOptions(options);
  const sweeper = stragglerSweep();
  return { name: 'thread', isolation: 'none', launch: (request) => launch(request, settings, sweeper) };
}

type Settings = Required<Omit<ThreadLauncherOptions, 'resourceLimits'>> & { readonly resourceLimits: Required<ThreadResourceLimits> };

function checkOptions(options: ThreadLauncherOptions): Settings {
  const { resourceLimits = {} } = options;
  const settings: Settings = {
    passEnv: options.passEnv ?? [],
    path: options.path ?? defaultWorkerPath,
    maxLineBytes: options.maxLineBytes ?? 8_192,
    maxOutputBytesPerSecond: options.maxOutputBytesPerSecond ?? 1_048_576,
    drainTimeoutMs: options.drainTimeoutMs ?? 200,
    closeTimeoutMs: options.closeTimeoutMs ?? 2_000,
    resourceLimits: {
      maxOldGenerationSizeMb: resourceLimits.maxOldGenerationSizeMb ?? 256,
      maxYoungGenerationSizeMb: resourceLimits.maxYoungGenerationSizeMb ?? 32,
      codeRangeSizeMb: resourceLimits.codeRangeSizeMb ?? 32,
      stackSizeMb: resourceLimits.stackSizeMb ?? 4,
    },
  };
  const numbers = { ...settings.resourceLimits, ...pick(settings, 'maxLineBytes', 'maxOutputBytesPerSecond', 'drainTimeoutMs', 'closeTimeoutMs') };
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isFinite(value) || value < 1) throw new WorkerRuntimeError('INVALID_ARGUMENT', `${name} must be a number of at least 1.`);
  }
  const reserved = settings.passEnv.find((name) => name.startsWith('SYNAPSE_WORKER_'));
  if (reserved !== undefined) throw new WorkerRuntimeError('INVALID_ARGUMENT', `passEnv may not name ${reserved}: the launcher sets it itself.`);
  return settings;
}

function pick<T, K extends keyof T>(from: T, ...names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, K>;
}

async function launch(request: LaunchRequest, settings: Settings, sweeper: StragglerSweep): Promise<LaunchedWorker> {
  checkAborted(request);
  const { type, channel } = request.runtime;
  if (type !== 'nodejs')
    throw refuse(request, `The thread launcher runs nodejs plugins only; ${request.pluginId} is of the type ${type}. Use processLauncher for it.`);
  if (channel !== 'fd') throw refuse(request, `A thread has no ${channel} of its own to speak over; leave runtime.channel out of the manifest.`);
  // There is no interpreter to look for: the thread is run by the very Node that runs the host.
  const command = await workerCommand(request, { find: async () => process.execPath });
  return launchInPrivateFolder(
    request,
    (privateFolder) => startThread(request, command, privateFolder, settings, sweeper),
    (error) => refuse(request, `The plugin ${request.pluginId} could not be started as a thread: ${String(error)}`, error),
  );
}

function startThread(
  request: LaunchRequest,
  command: WorkerCommand,
  privateFolder: string,
  settings: Settings,
  sweeper: StragglerSweep,
): BegunWorker<LaunchedWorker> {
  const env = workerEnvironment({
    pluginId: request.pluginId,
    pluginVersion: request.pluginVersion,
    workerId: request.workerId,
    runtimeType: request.runtime.type,
    // A thread is given a port instead of a descriptor.
    channel: threadChannelName,
    manifestEnv: request.runtime.env,
    privateFolder,
    path: settings.path,
    passEnv: settings.passEnv,
    hostEnv: process.env,
  });
  const [entry, ...args] = command.args;
  const { port1, port2 } = new MessageChannel();
  const thread = new Worker(entry!, {
    argv: args,
    env,
    // Flags of the host (loaders, inspectors, conditions) are its own.
    execArgv: [],
    stdin: false,
    stdout: true,
    stderr: true,
    name: request.pluginId,
    resourceLimits: settings.resourceLimits,
    workerData: { [channelPortName]: port2 },
    transferList: [port2],
  });
  // A thread that cannot begin says so by an error and an exit; whoever waits for `exited` is told.
  const online = Promise.race([once(thread, 'online'), once(thread, 'exit')]);
  online.catch(() => {});
  const worker = watchThread({
    thread,
    workerId: request.workerId,
    hostStartTime: readProcess(process.pid)?.startTime,
    connection: fromMessagePort(port1, { peer: { description: `thread ${thread.threadId}` }, closeTimeoutMs: settings.closeTimeoutMs }),
    description: `thread ${thread.threadId} of this process (no isolation): ${entry}`,
    privateFolder,
    output: { maxLineBytes: settings.maxLineBytes, maxBytesPerSecond: settings.maxOutputBytesPerSecond },
    drainTimeoutMs: settings.drainTimeoutMs,
    sweeper,
    onOutput: (line) => request.onOutput(line),
  });
  return { worker, begun: online };
}

function refuse({ pluginId }: LaunchRequest, message: string, cause?: unknown): WorkerRuntimeError {
  return new WorkerRuntimeError('START_FAILED', message, { details: { pluginId }, ...(cause === undefined ? {} : { cause }) });
}
