import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { findExecutable, isExecutableFile } from './find-executable.js';

/** Finds the interpreter of a runtime type, as an absolute path. */
export interface Interpreters {
  /**
   * @throws WorkerRuntimeError `START_FAILED` if there is none.
   */
  find(runtimeType: 'python' | 'nodejs', pluginFolder: string): Promise<string>;
}

const probeTimeoutMs = 10_000;

/**
 * Where interpreters are looked for, in this order: `configured` (an absolute path, or a name on the host's PATH); for Python the plugin's own
 * `.venv/bin/python`; then `python3` or `python` on the host's PATH; for Node the host's own `process.execPath`.
 *
 * A Python that is a script (a version manager's shim) is asked once for the program behind it: a shim needs variables of the host that a worker
 * does not get, and would add its own time to every start.
 */
export function interpreters(configured: Readonly<Record<string, string>>): Interpreters {
  const behindShim = new Map<string, Promise<string>>();
  const resolveShim = (path: string): Promise<string> => {
    const known = behindShim.get(path) ?? programBehind(path);
    behindShim.set(path, known);
    return known;
  };

  const named = async (nameOrPath: string, runtimeType: string): Promise<string> => {
    const path = isAbsolute(nameOrPath) ? nameOrPath : await findExecutable(nameOrPath, process.env.PATH ?? '');
    if (path !== undefined && (await isExecutableFile(path))) return path;
    throw new WorkerRuntimeError(
      'START_FAILED',
      `The ${runtimeType} interpreter ${nameOrPath} was not found or is not executable; correct the option interpreters.${runtimeType}.`,
    );
  };

  const findPython = async (pluginFolder: string): Promise<string> => {
    if (configured.python !== undefined) return resolveShim(await named(configured.python, 'python'));
    const own = join(pluginFolder, '.venv', 'bin', 'python');
    if (await isExecutableFile(own)) return own;
    const searchPath = process.env.PATH ?? '';
    const found = (await findExecutable('python3', searchPath)) ?? (await findExecutable('python', searchPath));
    if (found !== undefined) return resolveShim(found);
    throw new WorkerRuntimeError(
      'START_FAILED',
      "No Python interpreter was found: make a virtual environment at .venv in the plugin's folder, install python3, or set the option interpreters.python.",
    );
  };

  return {
    find: (runtimeType, pluginFolder) =>
      runtimeType === 'python'
        ? findPython(pluginFolder)
        : configured.nodejs === undefined
          ? Promise.resolve(process.execPath)
          : named(configured.nodejs, 'nodejs'),
  };
}

async function programBehind(path: string): Promise<string> {
  if (!(await isScript(path))) return path;
  try {
    const { stdout } = await promisify(execFile)(path, ['-c', 'import sys; print(sys.executable)'], { timeout: probeTimeoutMs, cwd: '/' });
    const program = stdout.trim();
    return isAbsolute(program) && (await isExecutableFile(program)) ? program : path;
  } catch {
    return path;
  }
}

async function isScript(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer.toString('latin1') === '#!';
  } finally {
    await file.close();
  }
}
