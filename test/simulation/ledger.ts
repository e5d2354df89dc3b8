import { isWorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';

/** What is known about one call: what its caller was told, and what really happened. */
export interface Entry {
  readonly n: number;
  readonly caller: 'host' | 'peer';
  readonly act: string;
  readonly madeAt: number;
  /** No later than this the caller must have an outcome. */
  readonly deadlineAt: number;
  /** Whether silence may end it as well. */
  readonly hasIdleLimit: boolean;
  /** A stream that nobody reads: it may never end by itself. */
  unread: boolean;
  /** When its caller took it back; the outcome is due at once. */
  cancelledAt: number | undefined;
  outcome: Outcome | undefined;
  settlements: number;
  /** How often its handler began, and how it ended. */
  ran: number;
  ended: 'returned' | 'threw' | undefined;
}

export interface Outcome {
  readonly at: number;
  readonly code: string;
  readonly mayHaveRun: boolean | undefined;
  readonly value: unknown;
}

/** Outcomes that must say whether the call may have run. */
const uncertain = new Set(['CANCELLED', 'DEADLINE_EXCEEDED', 'WORKER_LOST', 'HOST_LOST', 'OVERLOADED', 'DRAINING']);
/** Outcomes that only a handler, or what it tried to answer, can bring about. */
const known = new Set([...uncertain, 'OK', 'HANDLER_ERROR', 'METHOD_NOT_FOUND', 'FRAME_TOO_LARGE']);

/** The truth about all calls of a run. */
export class Ledger {
  readonly entries: Entry[] = [];
  readonly violations: string[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  violate(what: string): void {
    if (this.violations.length < 20) this.violations.push(`at ${this.#now()} ms: ${what}`);
  }

  open(caller: 'host' | 'peer', act: string, deadlineAt: number, hasIdleLimit = false): Entry {
    const entry: Entry = {
      n: this.entries.length,
      caller,
      act,
      madeAt: this.#now(),
      deadlineAt,
      hasIdleLimit,
      unread: false,
      cancelledAt: undefined,
      outcome: undefined,
      settlements: 0,
      ran: 0,
      ended: undefined,
    };
    this.entries.push(entry);
    return entry;
  }

  /** After a time that is enough for all that can end. */
  checkProgress(): void {
    for (const { n, act, caller, outcome, unread } of this.entries) {
      if (outcome === undefined && !unread) this.violate(`call ${n} (${act} from ${caller}) is stuck`);
    }
  }

  resolve(entry: Entry, value: unknown): void {
    this.#settle(entry, { at: this.#now(), code: 'OK', mayHaveRun: undefined, value });
  }

  reject(entry: Entry, error: unknown): void {
    if (!isWorkerRuntimeError(error)) return this.violate(`call ${entry.n} failed with ${String(error)}, which is no WorkerRuntimeError`);
    this.#settle(entry, { at: this.#now(), code: error.code, mayHaveRun: error.mayHaveRun, value: error.message });
  }

  /** Once nothing moves any more: compares what callers were told with what happened. */
  audit(): void {
    for (const entry of this.entries) {
      const { n, act, caller, outcome } = entry;
      const say = (what: string): void => this.violate(`call ${n} (${act} from ${caller}, ${outcome?.code}) ${what}`);
      if (entry.ran > 1) say(`ran ${entry.ran} times`);
      if (outcome === undefined || entry.settlements !== 1) {
        say(`settled ${entry.settlements} times`);
        continue;
      }
      if (outcome.at > entry.deadlineAt) say(`settled at ${outcome.at}, after its deadline ${entry.deadlineAt}`);
      if (entry.cancelledAt !== undefined && outcome.at > entry.cancelledAt) say(`settled at ${outcome.at}, cancelled at ${entry.cancelledAt}`);
      if (!known.has(outcome.code)) say('has an outcome that nothing in this run can bring about');
      if (uncertain.has(outcome.code) && outcome.mayHaveRun === undefined) say('does not say whether it may have run');
      if (outcome.mayHaveRun === false && entry.ran > 0) say('was told that it had not run, but it had');
      if (outcome.code === 'OK' && entry.ended !== 'returned') say(`was told that it succeeded, but its handler ${entry.ended ?? 'did not end'}`);
      if (outcome.code === 'OK' && (outcome.value as { n?: number }).n !== n) say('got the answer of another call');
      if (outcome.code === 'HANDLER_ERROR' && entry.ended !== 'threw' && !act.includes('broken-input'))
        say(`was told that its handler failed, but it ${entry.ended ?? 'did not end'}`);
      if (outcome.code === 'CANCELLED' && entry.cancelledAt === undefined && !act.startsWith('nested:')) say('was cancelled by nobody');
      if (outcome.code === 'DEADLINE_EXCEEDED' && entry.deadlineAt === Number.POSITIVE_INFINITY && !entry.hasIdleLimit) say('has no deadline');
    }
  }

  #settle(entry: Entry, outcome: Outcome): void {
    entry.settlements += 1;
    entry.outcome = outcome;
  }
}
