import { type ExitStatus, exitStatus } from './exit-status.js';

/** The wish that a run ends early. */
export interface Interruption {
  /** Aborted with the first wish. */
  readonly signal: AbortSignal;
  /** What to exit with; undefined while nobody wishes that. */
  readonly status: ExitStatus | undefined;
  /** Resolves with the second one: whoever asks twice does not want to wait. */
  readonly insisted: Promise<void>;
  /** Notes one. */
  interrupt(status: ExitStatus): void;
  /** Signals do again what they did before. */
  ignoreSignals(): void;
}

const statusBySignal = { SIGINT: exitStatus.interrupted, SIGTERM: exitStatus.terminated, SIGHUP: exitStatus.hungUp } as const;

/** From now on SIGINT, SIGTERM and SIGHUP no longer end the process at once, so that a worker can be stopped first. */
export function watchSignals(): Interruption {
  const controller = new AbortController();
  let status: ExitStatus | undefined;
  let insist: () => void = () => {};
  const insisted = new Promise<void>((resolve) => {
    insist = resolve;
  });
  const interrupt = (wanted: ExitStatus): void => {
    if (status !== undefined) return insist();
    status = wanted;
    controller.abort();
  };
  const listeners = Object.entries(statusBySignal).map(([name, wanted]) => [name, () => interrupt(wanted)] as const);
  for (const [name, listener] of listeners) process.on(name, listener);
  return {
    signal: controller.signal,
    get status() {
      return status;
    },
    insisted,
    interrupt,
    ignoreSignals() {
      for (const [name, listener] of listeners) process.off(name, listener);
    },
  };
}
