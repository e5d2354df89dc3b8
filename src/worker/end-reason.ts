import type { Reason, ReasonCode } from '../errors/reason.js';
import type { WorkerExit } from '../interfaces/launcher.js';
import type { Clock } from '../interfaces/platform.js';
import { createReason, describeExit } from './create-reason.js';
import { OutputTail } from './output-tail.js';

/** Why a worker is not ready. The first cause stays, whatever follows from it; that it drains is no cause, and gives way to one. */
export class EndReason {
  readonly #clock: Clock;
  readonly #clean: (text: string) => string;
  readonly #stderr = new OutputTail();
  #reason: Reason | undefined;

  /** @param clean makes text that may come from the worker fit for logs and records. */
  constructor(clock: Clock, clean: (text: string) => string) {
    this.#clock = clock;
    this.#clean = clean;
  }

  get current(): Reason | undefined {
    return this.#reason;
  }

  /** Keeps a line of standard error, the last of which are part of every reason. */
  addErrorLine(text: string): void {
    this.#stderr.add(this.#clean(text));
  }

  note(code: ReasonCode, message: string): Reason {
    if (this.#reason === undefined || this.#reason.code === 'DRAINING') this.#reason = this.make(code, message);
    return this.#reason;
  }

  /** The worker is gone: adds how. `stopped`: why the host wanted that, `left`: why the worker itself did; `spoke`: whether it had said hello. */
  noteExit(
    exit: WorkerExit,
    { stopped, left, spoke }: { readonly stopped: string | undefined; readonly left: string | undefined; readonly spoke: boolean },
  ): Reason {
    const told = describeExit(exit, spoke);
    const cause =
      stopped !== undefined
        ? this.note('STOPPED', stopped)
        : left !== undefined
          ? this.note('EXITED', `The worker left by itself: ${left}`)
          : this.note(told.code, told.message);
    this.#reason = { ...cause, exitCode: exit.exitCode, signal: exit.signal, stderrTail: this.#stderr.toString() };
    return this.#reason;
  }

  /** The worker is ready: there is no reason any more. */
  clear(): void {
    this.#reason = undefined;
  }

  /** A reason that is not kept. */
  make(code: ReasonCode, message: string): Reason {
    return createReason(this.#clock, code, this.#clean(message), { stderrTail: this.#stderr.toString() });
  }
}
