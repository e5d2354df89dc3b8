// A consumer with the types of a browser and none of Node, in ES modules: the neutral entries must be enough for it.
import { type ErrorCode, isWorkerRuntimeError, type Logger, WorkerRuntimeError } from '@synapse/worker-runtime';
import * as plugin from '@synapse/worker-runtime/plugin';
import * as testing from '@synapse/worker-runtime/testing';
import * as memory from '@synapse/worker-runtime/transports/memory';

export const entries = { plugin, testing, memory };

export function report(error: unknown, logger: Logger): ErrorCode | undefined {
  if (isWorkerRuntimeError(error, 'WORKER_LOST')) logger.warn({ mayHaveRun: error.mayHaveRun }, error.message);
  return error instanceof WorkerRuntimeError && error.code === 'CANCELLED' ? 'CANCELLED' : undefined;
}

// @ts-expect-error the neutral entry brings no `serve`: that is Node's
export const serve = plugin.serve;
