import { fstatSync } from 'node:fs';
import { Readable } from 'node:stream';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { JoinedStreams } from '../byte-stream/joined-streams.js';

/**
 * Takes standard input and output for the protocol. From then on `process.stdin` is empty, and `process.stdout` is standard error, also for `console` and
 * whoever took hold of it before.
 *
 * Node cannot move descriptors 0 and 1 to other numbers. What a plugin does with the numbers themselves still reaches the channel: `fs.writeSync(1, …)`, native code,
 * and child processes that are started with `inherit` (`fork` does that by itself). The default of `spawn` and `exec` gives children pipes of their own.
 *
 * The streams of Node are used as they are: a module that the plugin imports may have opened them already, and Node cannot open a descriptor twice.
 *
 * @throws INVALID_ARGUMENT if one of them is no pipe or socket.
 */
export function takeStandardStreams(): JoinedStreams {
  for (const descriptor of [0, 1]) {
    if (isPipe(descriptor)) continue;
    throw new WorkerRuntimeError(
      'INVALID_ARGUMENT',
      `Descriptor ${descriptor} is no pipe or socket, so the channel stdio of SYNAPSE_WORKER_CHANNEL cannot use it; only a host starts this program so.`,
    );
  }
  const { stdin, stdout, stderr } = process;
  const joined = new JoinedStreams(stdin, stdout);
  stdout.write = stderr.write.bind(stderr);
  stdout.end = () => stdout;
  Object.defineProperty(process, 'stdin', { configurable: true, enumerable: true, value: Readable.from([]) });
  Object.defineProperty(process, 'stdout', { configurable: true, enumerable: true, get: () => process.stderr });
  return joined;
}

function isPipe(descriptor: number): boolean {
  try {
    const status = fstatSync(descriptor);
    return status.isFIFO() || status.isSocket();
  } catch {
    return false;
  }
}
