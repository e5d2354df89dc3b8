// The same consumer in CommonJS.
import root = require('@synapse/worker-runtime');
import plugin = require('@synapse/worker-runtime/plugin');
import testing = require('@synapse/worker-runtime/testing');
import memory = require('@synapse/worker-runtime/transports/memory');

const lost: root.ErrorCode = 'WORKER_LOST';
const error: Error = new root.WorkerRuntimeError(lost, 'The worker ended.', { mayHaveRun: true });
export = { plugin, testing, memory, error };
