import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { MemoryLauncher } from './memory-launcher.js';
import type { SimulatedClock } from './simulated-clock.js';

/** What a test left behind, found when it stops its host or plugin. */
export class LeakCheck {
  readonly #clock: SimulatedClock;
  readonly #launchers: ReadonlyMap<string, MemoryLauncher>;
  readonly #leaks: string[] = [];

  constructor(clock: SimulatedClock, launchers: ReadonlyMap<string, MemoryLauncher>) {
    this.#clock = clock;
    this.#launchers = launchers;
  }

  /** Before anything is stopped: the calls and streams that nobody has waited for. */
  noteOpenCalls(): void {
    for (const [id, { workers }] of this.#launchers) {
      for (const { caller, method, isStream } of workers.flatMap(({ connection }) => connection.openCalls)) {
        const what = isStream ? `the stream "${method}"` : `the call "${method}"`;
        const advice = isStream ? 'read it to its end, leave its loop, or cancel it' : 'await it, or cancel it';
        this.#leaks.push(caller === 'host' ? `${what} to "${id}" is still open: ${advice}` : `${what} of "${id}" to the host is still open`);
      }
    }
  }

  /** After everything was stopped: what lives on. @throws INVALID_STATE with the list, in `details.leaks` as well. */
  finish(): void {
    for (const [id, { workers, handlers }] of this.#launchers) {
      const sessions = workers.filter(({ connection }) => !connection.ended).length;
      if (sessions > 0) this.#leaks.push(`${sessions} sessions of "${id}" have not ended`);
      for (const name of handlers.running) this.#leaks.push(`a handler of "${name}" of "${id}" still runs: let it end when ctx.signal is aborted`);
    }
    const timers = this.#clock.pendingTimers;
    if (timers > 0) this.#leaks.push(`${timers} timers of the clock are still set: cancel them`);
    if (this.#leaks.length === 0) return;
    throw new WorkerRuntimeError('INVALID_STATE', `The test left behind:\n- ${this.#leaks.join('\n- ')}`, { details: { leaks: [...this.#leaks] } });
  }
}
