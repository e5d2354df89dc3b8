// The same consumer in CommonJS.
import root = require('@synapse/worker-runtime');
import node = require('@synapse/worker-runtime/node');
import plugin = require('@synapse/worker-runtime/plugin');
import testing = require('@synapse/worker-runtime/testing');
import memory = require('@synapse/worker-runtime/transports/memory');
import stdio = require('@synapse/worker-runtime/transports/stdio');
import thread = require('@synapse/worker-runtime/transports/thread');
import unix = require('@synapse/worker-runtime/transports/unix');
import websocket = require('@synapse/worker-runtime/transports/websocket');

const lost: root.ErrorCode = 'WORKER_LOST';
const error: Error = new root.WorkerRuntimeError(lost, 'The worker ended.', { mayHaveRun: true });
export = { node, plugin, testing, memory, stdio, thread, unix, websocket, error };
