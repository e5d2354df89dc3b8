import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { LaunchedWorker, Launcher, LaunchRequest } from '../interfaces/launcher.js';

/**
 * Launches a worker, whatever the launcher makes of it: rejects as soon as `givenUp` settles, and ends a worker that comes after that.
 * The worker's `exited` never rejects.
 */
export async function launchWorker(
  launcher: Launcher,
  request: LaunchRequest,
  givenUp: Promise<{ readonly message: string }>,
): Promise<LaunchedWorker> {
  let tooLate = false;
  const refusal = givenUp.then(({ message }) => {
    tooLate = true;
    throw new WorkerRuntimeError('START_FAILED', message);
  });
  const launching = launcher.launch(request);
  launching
    .then((late) => {
      if (!tooLate) return;
      late.connection.close({ abort: true });
      late.kill();
    })
    .catch(() => {});
  const launched = await Promise.race([launching, refusal]);
  const exited = launched.exited.catch((error: unknown) => ({
    exitCode: null,
    signal: null,
    error: error instanceof Error ? error.message : String(error),
  }));
  return {
    connection: launched.connection,
    pid: launched.pid,
    description: launched.description,
    exited,
    terminate: () => launched.terminate(),
    kill: () => launched.kill(),
    ...(launched.sessionOver === undefined ? {} : { sessionOver: () => launched.sessionOver?.() }),
    ...(launched.breakOff === undefined ? {} : { breakOff: (message) => launched.breakOff?.(message) }),
  };
}
