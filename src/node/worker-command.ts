import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { LaunchRequest } from '../interfaces/launcher.js';
import { isExecutableFile } from './find-executable.js';
import type { Interpreters } from './interpreters.js';

/** What is spawned: a program and its arguments, all absolute, never through a shell. */
export interface WorkerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** The plugin's folder, with symlinks resolved. */
  readonly folder: string;
  /** For people: program and entry. The arguments are only counted, since they may carry configuration. */
  readonly description: string;
}

/**
 * Turns the runtime section of a manifest into a command. The entry is resolved through symlinks and must lie within the plugin's folder; that is
 * checked at install too, and again here, because files change in between.
 *
 * @throws WorkerRuntimeError `START_FAILED` with a sentence that says what to repair.
 */
export async function workerCommand(
  request: Pick<LaunchRequest, 'pluginId' | 'runtime' | 'directory'>,
  interpreters: Interpreters,
): Promise<WorkerCommand> {
  const { runtime, directory, pluginId } = request;
  const fail = (message: string): WorkerRuntimeError =>
    new WorkerRuntimeError('START_FAILED', message, { details: { pluginId, entry: runtime.entry } });
  if (directory === undefined) throw fail(`The plugin ${pluginId} has no folder, so no process can be started for it.`);
  const folder = await realpath(directory).catch(() => undefined);
  if (folder === undefined) throw fail(`The folder ${directory} of the plugin ${pluginId} does not exist.`);
  const entry = await realpath(resolve(folder, runtime.entry)).catch(() => undefined);
  if (entry === undefined) throw fail(`The entry ${runtime.entry} does not exist in ${folder}.`);
  const inside = relative(folder, entry);
  if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside))
    throw fail(`The entry ${runtime.entry} is not a file within the plugin's folder.`);
  if (!(await stat(entry)).isFile()) throw fail(`The entry ${runtime.entry} is not a file.`);

  const more = runtime.args.length === 0 ? '' : ` (and ${runtime.args.length} argument${runtime.args.length === 1 ? '' : 's'})`;
  switch (runtime.type) {
    case 'python':
    case 'nodejs': {
      const program = await interpreters.find(runtime.type, folder);
      return { program, args: [entry, ...runtime.args], folder, description: `${program} ${entry}${more}` };
    }
    case 'go':
    case 'executable':
      if (!(await isExecutableFile(entry))) throw fail(`The entry ${runtime.entry} is not executable; make it so with chmod +x.`);
      return { program: entry, args: runtime.args, folder, description: `${entry}${more}` };
    default:
      throw fail(`The process launcher cannot start a runtime of the type ${runtime.type}; it starts python, nodejs, go and executable.`);
  }
}
