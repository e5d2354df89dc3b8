import { isAbsolute, normalize } from 'node:path';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';

/** What fits into a socket address beside its final zero byte: `sun_path` has 108 bytes on Linux and 104 elsewhere. */
const maxPathBytes = process.platform === 'linux' ? 107 : 103;

const scheme = 'unix:';

/**
 * The path of a `unix:` address; empty for `unix:` alone, and for an empty address.
 * @throws INVALID_ARGUMENT for another scheme, a relative path, or one that no socket can have.
 */
export function readUnixAddress(address: string): string {
  if (address === '') return '';
  if (!address.startsWith(scheme)) throw invalid(`The address ${JSON.stringify(address)} is none of a Unix socket; write unix:/absolute/path.`);
  const path = address.slice(scheme.length);
  if (path === '') return '';
  if (!isAbsolute(path) || path.includes('\0') || path.endsWith('/') || normalize(path) !== path)
    throw invalid(`The address ${JSON.stringify(address)} must hold an absolute path without "..", "." and doubled slashes: unix:/absolute/path.`);
  checkPathLength(path);
  return path;
}

/** The kernel would cut a longer path, or refuse it with a message that does not say why. @throws INVALID_ARGUMENT */
export function checkPathLength(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= maxPathBytes) return;
  throw invalid(`The path ${path} has ${bytes} bytes, and that of a Unix socket at most ${maxPathBytes}; choose a shorter folder.`);
}

function invalid(message: string): WorkerRuntimeError {
  return new WorkerRuntimeError('INVALID_ARGUMENT', message);
}
