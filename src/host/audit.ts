import type { Scope } from '../capabilities/capability.js';
import type { Reason } from '../errors/reason.js';
import type { Clock, Timer } from '../interfaces/platform.js';

/** What was recorded. Params, results, configuration and messages of plugins never enter a record. */
export type AuditEntry =
  /** The policy judged a call, and it was not simply allowed. */
  | {
      readonly kind: 'decision';
      readonly pluginId: string;
      readonly workerId: string;
      readonly generation: number;
      readonly decisionId: string;
      readonly effect: 'deny' | 'confirm';
      readonly method: string;
      readonly capability: string;
      /** What the call would have touched. */
      readonly scope: Scope;
      /** The part of it that nothing grants. */
      readonly missing: Scope;
      /** A sentence. */
      readonly reason: string;
      /** The rule that decided, as `policy.yml:12`, where one did. */
      readonly rule?: string | undefined;
      readonly traceparent?: string | undefined;
    }
  /** Calls that were allowed, counted from `since` (ISO 8601) on, for a second at most. */
  | { readonly kind: 'calls'; readonly pluginId: string; readonly method: string; readonly allowed: number; readonly since: string }
  /** A capability was given or taken back; `by` is an operator's name, or `policy`. */
  | {
      readonly kind: 'grant' | 'revoke';
      readonly pluginId: string;
      readonly grantId: string;
      readonly capability: string;
      readonly scope: Scope;
      readonly by: string;
      readonly reason?: string | undefined;
    }
  /** A plugin went from one state to another; `generation` is that of its last worker, 0 before the first. */
  | {
      readonly kind: 'lifecycle';
      readonly pluginId: string;
      readonly from: string;
      readonly to: string;
      readonly generation: number;
      readonly reason?: Reason | undefined;
    }
  /** Processes that a worker had started outlived it; `left` are still running. */
  | {
      readonly kind: 'stragglers';
      readonly pluginId: string;
      readonly workerId: string;
      readonly generation: number;
      readonly killed: number;
      readonly left: number;
    }
  /** A worker broke a rule of the protocol. */
  | { readonly kind: 'violation'; readonly pluginId: string; readonly workerId: string; readonly code: string; readonly message: string };

/** A record of the audit: its number, from 0 and without gaps, when it was written (ISO 8601 time), and what was recorded. */
export type AuditRecord = { readonly sequence: number; readonly time: string } & AuditEntry;

/** Where records go beside the memory of the host. Called in order; what it throws is logged. */
export type AuditSink = (record: AuditRecord) => void;

const flushIntervalMs = 1_000;

/** Records decisions and lifecycle; allowed calls in batches, so that they cost next to nothing. */
export class Audit {
  readonly #clock: Clock;
  readonly #sink: AuditSink;
  readonly #capacity: number;
  readonly #records: AuditRecord[] = [];
  readonly #allowed = new Map<string, { pluginId: string; method: string; count: number; since: string }>();
  #sequence = 0;
  #timer: Timer | undefined;
  #closed = false;

  /** @param capacity records kept in memory, the newest; default 10,000. */
  constructor(clock: Clock, sink: AuditSink, capacity = 10_000) {
    this.#clock = clock;
    this.#sink = sink;
    this.#capacity = capacity;
  }

  record(entry: AuditEntry): AuditRecord {
    const record: AuditRecord = Object.freeze({ sequence: this.#sequence++, time: this.#now(), ...entry });
    this.#records.push(record);
    // Trimmed seldom, by a quarter, so that a record does not cost a shift.
    if (this.#records.length > this.#capacity * 1.25) this.#records.splice(0, this.#records.length - this.#capacity);
    this.#sink(record);
    return record;
  }

  countAllowed(pluginId: string, method: string): void {
    const key = `${pluginId} ${method}`;
    const counted = this.#allowed.get(key);
    if (counted !== undefined) counted.count += 1;
    else this.#allowed.set(key, { pluginId, method, count: 1, since: this.#now() });
    if (this.#closed) this.flush();
    else this.#timer ??= this.#clock.setTimer(flushIntervalMs, () => this.flush());
  }

  /** Writes the batches of allowed calls. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    // Taken first: whoever hears of a record may ask for the records, which flushes again.
    const batches = [...this.#allowed.values()];
    this.#allowed.clear();
    for (const { pluginId, method, count, since } of batches) this.record({ kind: 'calls', pluginId, method, allowed: count, since });
  }

  /** Writes what is counted, and sets no timer any more. */
  close(): void {
    this.#closed = true;
    this.flush();
  }

  /** The records in memory, oldest first, after writing what is counted. */
  records(filter: { readonly pluginId?: string; readonly kind?: AuditEntry['kind'] } = {}): readonly AuditRecord[] {
    this.flush();
    return this.#records
      .slice(-this.#capacity)
      .filter(
        (record) =>
          (filter.pluginId === undefined || record.pluginId === filter.pluginId) && (filter.kind === undefined || record.kind === filter.kind),
      );
  }

  #now(): string {
    return new Date(this.#clock.wallTime()).toISOString();
  }
}
