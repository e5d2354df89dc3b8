import type { WorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import type { Clock, Timer } from '../../interfaces/platform.js';
import type { Audit } from '../audit.js';
import { escapeControls } from '../escape-controls.js';
import { Refusal } from './refusal.js';

const minuteMs = 60_000;
const recordsPerMinute = 100;
const maxTextLength = 1_000;

/** Records who was refused. Strangers must not wash everything else out of the audit: beyond a hundred in a minute they are only counted. */
export class RefusedPeers {
  readonly #clock: Clock;
  readonly #audit: Audit;
  #recorded = 0;
  #uncounted = 0;
  #minute: Timer | undefined;

  constructor(clock: Clock, audit: Audit) {
    this.#clock = clock;
    this.#audit = audit;
  }

  note(peer: string, error: WorkerRuntimeError): void {
    this.#minute ??= this.#clock.setTimer(minuteMs, () => this.flush());
    if (this.#recorded >= recordsPerMinute) {
      this.#uncounted += 1;
      return;
    }
    this.#recorded += 1;
    const { why, known } = error instanceof Refusal ? error : { why: error.message, known: {} };
    this.#audit.record({
      kind: 'dial-in',
      outcome: 'refused',
      ...known,
      peer: printable(peer),
      code: error.code,
      reason: printable(why),
      count: 1,
    });
  }

  /** Records how many were only counted, and ends the minute. */
  flush(): void {
    this.#minute?.cancel();
    this.#minute = undefined;
    const count = this.#uncounted;
    this.#recorded = 0;
    this.#uncounted = 0;
    if (count === 0) return;
    const reason = `${count} more were refused within the minute.`;
    this.#audit.record({ kind: 'dial-in', outcome: 'refused', peer: 'several', code: 'OVERLOADED', reason, count });
  }
}

/** What a stranger may have chosen, fit for a record. */
export function printable(text: string): string {
  return escapeControls(text.slice(0, maxTextLength));
}
