import type { LaunchedWorker, Launcher } from '../interfaces/launcher.js';

/** A launcher that can end everything that it launched. */
export interface KillableLauncher extends Launcher {
  /** Ends by force what still runs; the host notices the exits. */
  killAll(): void;
}

/** Remembers what a launcher launches, for a run that must end now and not by the ladder of a stop. */
export function killableLauncher(inner: Launcher): KillableLauncher {
  const running = new Set<LaunchedWorker>();
  return {
    name: inner.name,
    isolation: inner.isolation,
    async launch(request) {
      const worker = await inner.launch(request);
      running.add(worker);
      void worker.exited.then(() => running.delete(worker));
      return worker;
    },
    killAll() {
      for (const worker of running) worker.kill();
    },
  };
}
