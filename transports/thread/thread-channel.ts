import { isMainThread, MessagePort, parentPort, workerData } from 'node:worker_threads';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { Connection } from '../../src/interfaces/transport.js';
import { fromMessagePort } from './port-connection.js';

/** What `SYNAPSE_WORKER_CHANNEL` says in a thread. */
export const threadChannelName = 'thread';

/** Under this name the thread's `workerData` holds the port to the host. */
export const channelPortName = 'synapseWorkerPort';

/** What the launcher posts to a thread that it asks to end: a thread gets no signals. */
export const terminateRequest = 'synapse:terminate';

/** What a plugin in a thread finds: its way to the host, and who it is. */
export interface ThreadChannel {
  /** Not started yet. */
  readonly connection: Connection;
  /** What to say in `hello.plugin`. */
  readonly plugin: { readonly id: string; readonly version: string } | undefined;
  /** A thread of the host needs none. */
  readonly token: undefined;
}

/** The variables that are taken out of the thread's environment; `SYNAPSE_WORKER_ID` stays, for the processes that the plugin starts. */
const launchVariables = ['CHANNEL', 'PLUGIN_ID', 'PLUGIN_VERSION'] as const;

/**
 * The worker's side of a launch as a thread, to be called before any code of the plugin runs: takes the port out of `workerData` and the
 * launch variables out of the thread's own `process.env`.
 *
 * A thread gets no signals: where the launcher asks it to end, `SIGTERM` is emitted on the thread's `process`, so that a listener for it does what it would
 * do in a process. What is printed needs no moving aside: a thread's outputs are streams of their own that the launcher reads.
 *
 * @returns undefined if this is no thread that was launched as a worker.
 * @throws WorkerRuntimeError `INVALID_ARGUMENT` if the environment names this channel and `workerData` has no port.
 */
export function openThreadChannel(): ThreadChannel | undefined {
  if (isMainThread || process.env.SYNAPSE_WORKER_CHANNEL !== threadChannelName) return undefined;
  const launch: Partial<Record<(typeof launchVariables)[number], string>> = {};
  for (const name of launchVariables) {
    const value = process.env[`SYNAPSE_WORKER_${name}`];
    if (value !== undefined) launch[name] = value;
    delete process.env[`SYNAPSE_WORKER_${name}`];
  }
  const data = workerData as Record<string, unknown> | null | undefined;
  const port = data?.[channelPortName];
  if (!(port instanceof MessagePort)) {
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `SYNAPSE_WORKER_CHANNEL is "thread", but workerData.${channelPortName} is no MessagePort.`);
  }
  delete data?.[channelPortName];
  parentPort?.on('message', (request: unknown) => {
    if (request === terminateRequest) process.emit('SIGTERM', 'SIGTERM');
  });
  // Asking is no reason to live on.
  parentPort?.unref();
  return {
    connection: fromMessagePort(port, { peer: { description: 'the host (thread)' } }),
    plugin: launch.PLUGIN_ID === undefined ? undefined : { id: launch.PLUGIN_ID, version: launch.PLUGIN_VERSION ?? '' },
    token: undefined,
  };
}
