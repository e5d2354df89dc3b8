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
  /** Calls that were allowed, counted. */
  | { readonly kind: 'calls'; readonly pluginId: string; readonly method: string; readonly allowed: number; readonly since: string }
  | {
      readonly kind: 'grant' | 'revoke';
      readonly pluginId: string;
      readonly grantId: string;
      readonly capability: string;
      readonly scope: Scope;
      readonly by: string;
      readonly reason?: string | undefined;
    }
  | { readonly kind: 'lifecycle'; readonly pluginId: string; readonly from: string; readonly to: string; readonly generation: number; readonly reason?: Reason | undefined }
  | { readonly kind: 'violation'; readonly pluginId: string; readonly workerId: string; readonly code: string; readonly message: string };

/** A record of the audit. */
export type AuditRecord = { readonly sequence: number; readonly time: string } & AuditEntry;

/** Where records go beside the memory of the host. Called in order; must not throw. */
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

  /** @param capacity records kept in memory, the newest; default 10,000. */
  constructor(clock: Clock, sink: AuditSink, capacity = 10_000) {
    this.#clock = clock;
    this.#sink = sink;
    this.#capacity = capacity;
  }

  record(entry: AuditEntry): AuditRecord {
    const record = { sequence: this.#sequence++, time: this.#now(), ...entry };
    this.#records.push(record);
    // Trimmed seldom, by a quarter, so that a record does not cost a shift.
    if (this.#records.length > this.#capacity * 1.25) this.#records.splice(0, this.#records.length - this.#capacity);
    this.#sink(record);
    return record;
  }

  countAllowed(pluginId: string, method: string): void {
    const key = `${pluginId} ${method}`;
    const counted = this.#allowed.get(key);
    if (counted !== undefined) {
      counted.count += 1;
      return;
    }
    this.#allowed.set(key, { pluginId, method, count: 1, since: this.#now() });
    this.#timer ??= this.#clock.setTimer(flushIntervalMs, () => this.flush());
  }

  /** Writes the batches of allowed calls. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const { pluginId, method, count, since } of this.#allowed.values()) this.record({ kind: 'calls', pluginId, method, allowed: count, since });
    this.#allowed.clear();
  }

  /** The records in memory, oldest first, after writing what is counted. */
  records(filter: { readonly pluginId?: string; readonly kind?: AuditEntry['kind'] } = {}): readonly AuditRecord[] {
    this.flush();
    return this.#records.filter(
      (record) => (filter.pluginId === undefined || record.pluginId === filter.pluginId) && (filter.kind === undefined || record.kind === filter.kind),
    );
  }

  #now(): string {
    return new Date(this.#clock.wallTime()).toISOString();
  }
}
