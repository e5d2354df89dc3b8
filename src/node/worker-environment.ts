import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { isEnvironmentName, isRefusedEnvironment } from '../manifest/environment-rules.js';

/** Where a worker finds programs, unless the launcher is told otherwise. The host's own PATH is not handed on. */
export const defaultWorkerPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Variables of the host that every worker gets: they say how to write text and time, and nothing else. */
const inheritedNames = ['LANG', 'LC_ALL', 'LC_CTYPE', 'TZ'];

/** What {@link workerEnvironment} needs. */
export interface WorkerEnvironmentOptions {
  readonly pluginId: string;
  readonly pluginVersion: string;
  readonly workerId: string;
  readonly runtimeType: string;
  /** What the worker finds in `SYNAPSE_WORKER_CHANNEL`: `fd:3`, `stdio` or `thread`. */
  readonly channel: string;
  /** `runtime.env` of the manifest. */
  readonly manifestEnv: Readonly<Record<string, string>>;
  /** A folder of this incarnation's own, for HOME and TMPDIR. */
  readonly privateFolder: string;
  readonly path: string;
  /** Names of further variables of the host that the embedder lets through. */
  readonly passEnv: readonly string[];
  /** The host's environment. */
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
}

/**
 * The whole environment of a worker, built from nothing: no variable of the host reaches a worker that is not named here or in `passEnv`.
 *
 * @throws WorkerRuntimeError `INVALID_ARGUMENT` if the manifest sets a variable that loads code or belongs to the launcher. The
 * manifest's validator refuses it by the same rule; a launcher does not rely on its having been asked.
 */
export function workerEnvironment(options: WorkerEnvironmentOptions): Record<string, string> {
  const env: Record<string, string> = { PATH: options.path, LANG: 'C.UTF-8', HOME: options.privateFolder, TMPDIR: options.privateFolder };
  for (const name of [...inheritedNames, ...options.passEnv]) {
    const value = options.hostEnv[name];
    if (value !== undefined) env[name] = value;
  }
  if (options.runtimeType === 'python') {
    Object.assign(env, { PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1', PYTHONNOUSERSITE: '1', PYTHONUTF8: '1' });
  }
  for (const [name, value] of Object.entries(options.manifestEnv)) {
    if (!isEnvironmentName(name) || isRefusedEnvironment(name)) {
      throw new WorkerRuntimeError(
        'INVALID_ARGUMENT',
        `The environment variable ${name} is not allowed in runtime.env; remove it from the manifest.`,
      );
    }
    env[name] = value;
  }
  return {
    ...env,
    SYNAPSE_WORKER_CHANNEL: options.channel,
    SYNAPSE_WORKER_PLUGIN_ID: options.pluginId,
    SYNAPSE_WORKER_PLUGIN_VERSION: options.pluginVersion,
    [workerMarkerName]: options.workerId,
  };
}

/** The variable by which the processes that a worker leaves behind are recognised. An SDK leaves it in place. */
export const workerMarkerName = 'SYNAPSE_WORKER_ID';
