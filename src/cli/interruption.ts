import { type ExitStatus, exitStatus } from './exit-status.js';

const statusBySignal = { SIGINT: exitStatus.interrupted, SIGTERM: exitStatus.terminated, SIGHUP: exitStatus.hungUp } as const;

/** The wish that a run ends early: by a signal, or because nobody reads what it prints. */
export class Interruption {
  readonly #controller = new AbortController();
  #status: ExitStatus | undefined;
  #insist: () => void = () => {};
  /** Resolves when it is wished again: whoever asks twice does not want to wait. */
  readonly insisted = new Promise<void>((resolve) => {
    this.#insist = resolve;
  });

  /** Aborted when it is wished. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What to exit with then; undefined while nobody wishes it. */
  get status(): ExitStatus | undefined {
    return this.#status;
  }

  interrupt(status: ExitStatus): void {
    if (this.#status !== undefined) return this.#insist();
    this.#status = status;
    this.#controller.abort();
  }

  /**
   * From now on SIGINT, SIGTERM and SIGHUP no longer end the process at once, so that a worker can be stopped first.
   * @returns a function that ends this.
   */
  watchSignals(): () => void {
    const listeners = Object.entries(statusBySignal).map(([name, status]) => [name, () => this.interrupt(status)] as const);
    for (const [name, listener] of listeners) process.on(name, listener);
    return () => {
      for (const [name, listener] of listeners) process.off(name, listener);
    };
  }
}
