// A consumer with the types of Node and no DOM, in ES modules. It compiles against dist; nothing here runs.
import { type ErrorCode, isWorkerRuntimeError, type Logger, WorkerRuntimeError } from '@synapse/worker-runtime';
import * as node from '@synapse/worker-runtime/node';
import * as plugin from '@synapse/worker-runtime/plugin';
import * as testing from '@synapse/worker-runtime/testing';
import * as memory from '@synapse/worker-runtime/transports/memory';
import * as stdio from '@synapse/worker-runtime/transports/stdio';

export const entries = { node, plugin, testing, memory, stdio };

export function report(error: unknown, logger: Logger): ErrorCode | undefined {
  if (isWorkerRuntimeError(error, 'WORKER_LOST')) logger.warn({ mayHaveRun: error.mayHaveRun }, error.message);
  // @ts-expect-error a code that is not in the table
  isWorkerRuntimeError(error, 'WORKER_LOSED');
  return error instanceof WorkerRuntimeError && error.code === 'CANCELLED' ? 'CANCELLED' : undefined;
}
