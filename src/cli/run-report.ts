import type { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { AuditRecord } from '../host/audit.js';
import type { PlanItem } from '../policy/plan.js';

/** A line that the plugin logged or printed, or that the host has to say. */
export interface ReportedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  /** `log`: logged by the plugin; `stdout`, `stderr`: printed by it. */
  readonly source: 'log' | 'stdout' | 'stderr' | 'host';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A decision against the plugin. */
export type Denial = Extract<AuditRecord, { readonly kind: 'decision' }>;

/** What becomes of the requests, and the words for `--grant`, without quotes for a shell, that would allow what is open. */
export interface ShownPlan {
  readonly items: readonly PlanItem[];
  /** For what the plugin cannot do without. Empty where nothing is missing, or nothing can be granted. */
  readonly grants: readonly string[];
  /** For what it can do without. */
  readonly optionalGrants: readonly string[];
}

/** What a run tells whoever started it, as it happens. */
export interface RunReport {
  line(line: ReportedLine): void;
  denial(denial: Denial): void;
  /** How far the call is. */
  progress(fraction: number | undefined, message: string | undefined): void;
  /** A message for the host's agents, which in a run are whoever reads this. */
  routed(message: unknown): void;
  /** It was started, and this is what it was given. */
  started(plan: ShownPlan): void;
  /** The method is a stream: items may follow. */
  streaming(): void;
  /** An item of a stream. Resolves when the next one is wanted. */
  item(value: unknown): Promise<void>;
  result(value: unknown): Promise<void>;
  /**
   * It ended otherwise. `plan`: where that is why. `hint`: what else helps. `isLocal`: the error is this side's own, with details of the shapes that
   * docs/errors.md lists; those of a worker's error may have any.
   */
  failure(
    error: WorkerRuntimeError,
    more: { readonly plan?: ShownPlan | undefined; readonly hint?: string | undefined; readonly isLocal: boolean },
  ): void;
  /** Nothing runs any more and nothing else will be reported. */
  end(): Promise<void>;
}
