import type { IsolationLevel } from '../interfaces/launcher.js';
import type { WorkerOffer } from '../worker/worker-offer.js';
import type { WorkerState } from '../worker/worker-table.js';

/** A worker, for inspection: it is one incarnation and changes with each restart. */
export interface WorkerInspection extends WorkerOffer {
  readonly id: string;
  readonly generation: number;
  readonly state: WorkerState;
  readonly pid: number | undefined;
  /** The command line, for people. */
  readonly description: string;
  readonly isolation: IsolationLevel;
  /** ISO 8601 time. */
  readonly startedAt: string;
  readonly callsInFlight: number;
  /** Bytes that wait because the worker does not read them. */
  readonly queuedBytes: number;
  /** Messages that the worker has not confirmed. */
  readonly unconfirmedMessages: number;
}
