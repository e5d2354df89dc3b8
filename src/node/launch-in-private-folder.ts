import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { LaunchedWorker, LaunchRequest } from '../interfaces/launcher.js';

/** A worker that is being started: what there is to kill already, and when it runs. */
export interface BegunWorker<Launched extends LaunchedWorker> {
  readonly worker: Launched;
  /** Rejects if it cannot run. */
  readonly begun: Promise<unknown>;
}

/**
 * Starts a worker with a folder of its own, which whoever watches the worker removes in the end; here it is removed if nothing was started.
 * @throws CANCELLED if the start was given up, else what `explain` makes of the error, unless that has a code already.
 */
export async function launchInPrivateFolder<Launched extends LaunchedWorker>(
  request: LaunchRequest,
  start: (privateFolder: string) => BegunWorker<Launched> | Promise<BegunWorker<Launched>>,
  explain: (error: unknown) => WorkerRuntimeError,
): Promise<Launched> {
  const privateFolder = await mkdtemp(join(tmpdir(), 'synapse-worker-'));
  try {
    checkAborted(request);
    const { worker, begun } = await start(privateFolder);
    await begun;
    if (request.signal.aborted) {
      worker.kill();
      await worker.exited;
      checkAborted(request);
    }
    return worker;
  } catch (error) {
    await rm(privateFolder, { recursive: true, force: true }).catch(() => {});
    throw isWorkerRuntimeError(error) ? error : explain(error);
  }
}

/** @throws CANCELLED if the start was given up. */
export function checkAborted(request: LaunchRequest): void {
  if (!request.signal.aborted) return;
  throw new WorkerRuntimeError('CANCELLED', `The start of the plugin ${request.pluginId} was given up.`, { cause: request.signal.reason });
}
