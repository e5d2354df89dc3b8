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
  /**
   * Calls that were allowed, counted from `since` (ISO 8601) on, for a second at most: of a plugin to the host, or of a controller to a plugin. A
   * method `…` stands for more methods than are told apart in a second.
   */
  | {
      readonly kind: 'calls';
      readonly pluginId: string;
      readonly method: string;
      readonly allowed: number;
      readonly since: string;
      /** Whose calls they were; absent for those of the plugin. */
      readonly controller?: string | undefined;
    }
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
  /** A registration token was issued or revoked; `uses` are those that were left. Its uses are `dial-in` records. */
  | {
      readonly kind: 'token';
      readonly pluginId?: undefined;
      readonly action: 'issued' | 'revoked';
      readonly tokenId: string;
      readonly role: 'worker' | 'controller';
      readonly plugins: readonly string[];
      readonly uses: number;
      readonly expiresAt: string;
      readonly by: string;
    }
  /** A worker was let in: `registered` with a token, `resumed` its session, or `renewed` it after its session was over. */
  | {
      readonly kind: 'dial-in';
      readonly outcome: 'registered' | 'resumed' | 'renewed';
      readonly pluginId: string;
      readonly peer: string;
      readonly generation: number;
      readonly tokenId?: string | undefined;
    }
  /** A peer that dialled in was refused, or `count` of them: after a hundred in a minute they are counted only. */
  | {
      readonly kind: 'dial-in';
      readonly outcome: 'refused';
      /** Where it is known which installed plugin was meant. */
      readonly pluginId?: string | undefined;
      readonly peer: string;
      readonly tokenId?: string | undefined;
      /** What the peer was told. */
      readonly code: string;
      /** A sentence; says more than the peer was told. */
      readonly reason: string;
      readonly count: number;
    }
  /** A controller connected, left, or wanted something that its token does not give; of the last kind one record stands for all of a minute. */
  | {
      readonly kind: 'controller';
      readonly pluginId?: undefined;
      readonly action: 'connected' | 'left' | 'refused';
      readonly controller: string;
      readonly tokenId: string;
      readonly peer: string;
      /** A sentence. */
      readonly reason?: string | undefined;
    }
  /** A worker broke a rule of the protocol. */
  | { readonly kind: 'violation'; readonly pluginId: string; readonly workerId: string; readonly code: string; readonly message: string };

/** A record of the audit: its number, from 0 and without gaps, when it was written (ISO 8601 time), and what was recorded. */
export type AuditRecord = { readonly sequence: number; readonly time: string } & AuditEntry;

/** Where records go beside the memory of the host. Called in order; what it throws is logged. */
export type AuditSink = (record: AuditRecord) => void;

const flushIntervalMs = 1_000;
/** Methods that are told apart in one batch: a controller may call any name. */
const maxBatches = 1_000;

const others = '…';

/** Records decisions and lifecycle; allowed calls in batches, so that they cost next to nothing. */
export class Audit {
  readonly #clock: Clock;
  readonly #sink: AuditSink;
  readonly #capacity: number;
  readonly #records: AuditRecord[] = [];
  readonly #allowed = new Map<string, { pluginId: string; method: string; controller: string | undefined; count: number; since: string }>();
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

  /** @param controller whose call it was; undefined for one of the plugin to the host. */
  countAllowed(pluginId: string, method: string, controller?: string): void {
    const key = controller === undefined ? `${pluginId} ${method}` : `${pluginId} ${method} ${controller}`;
    const counted = this.#allowed.get(key);
    if (counted !== undefined) counted.count += 1;
    else if (this.#allowed.size >= maxBatches && method !== others) return this.countAllowed(pluginId, others, controller);
    else this.#allowed.set(key, { pluginId, method, controller, count: 1, since: this.#now() });
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
    for (const { pluginId, method, controller, count, since } of batches)
      this.record({ kind: 'calls', pluginId, method, allowed: count, since, ...(controller === undefined ? {} : { controller }) });
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
