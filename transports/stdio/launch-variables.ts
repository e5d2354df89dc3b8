import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';

/**
 * The variables that an SDK takes out of the environment. `SYNAPSE_WORKER_ID` stays: it marks the processes that the plugin starts, so that the host
 * can end those that outlive it.
 */
const launchVariables = ['CHANNEL', 'PLUGIN_ID', 'PLUGIN_VERSION', 'TOKEN_FD', 'TOKEN_FILE'] as const;

/** The variables of a launch that were set, by the end of their names. */
export type LaunchVariables = Partial<Record<(typeof launchVariables)[number], string>>;

const maxTokenBytes = 16_384;

/** Takes the launch variables out of `process.env`. */
export function takeLaunchVariables(): LaunchVariables {
  const taken: LaunchVariables = {};
  for (const name of launchVariables) {
    const value = process.env[`SYNAPSE_WORKER_${name}`];
    if (value !== undefined && value !== '') taken[name] = value;
    delete process.env[`SYNAPSE_WORKER_${name}`];
  }
  return taken;
}

/** Reads the token from a descriptor, or from a file that nobody else may read (mode 0600). @throws INVALID_ARGUMENT */
export function readToken(descriptor: string | undefined, file: string | undefined): string | undefined {
  if (descriptor === undefined && file === undefined) return undefined;
  try {
    // Opening a pipe would wait for whoever writes to it.
    if (descriptor === undefined && !statSync(file!).isFile()) throw new Error('it is no regular file');
    const source = descriptor === undefined ? openSync(file!, 'r') : Number(descriptor);
    try {
      if (descriptor === undefined && (fstatSync(source).mode & 0o077) !== 0) throw new Error(`others may read it; run chmod 600 ${file}`);
      const bytes = Buffer.alloc(maxTokenBytes);
      let length = 0;
      for (let read = -1; read !== 0 && length < maxTokenBytes; length += read) read = readSync(source, bytes, length, maxTokenBytes - length, null);
      return bytes.toString('utf8', 0, length).trim();
    } finally {
      closeSync(source);
    }
  } catch (error) {
    const place = descriptor === undefined ? `The file ${file}` : `Descriptor ${descriptor}`;
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `${place}, from which the token is to be read, is not acceptable: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
