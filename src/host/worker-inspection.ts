import type { IsolationLevel } from '../interfaces/launcher.js';
import type { Worker } from '../worker/worker.js';
import type { WorkerOffer } from '../worker/worker-offer.js';
import type { WorkerState } from '../worker/worker-table.js';

/** A worker, for inspection: it is one incarnation and changes with each restart. */
export interface WorkerInspection extends WorkerOffer {
  /** Unique per incarnation; in the environment of its processes as `SYNAPSE_WORKER_ID`. */
  readonly id: string;
  /** Counts the incarnations of the plugin's worker, from 1. */
  readonly generation: number;
  /** Where it stands in its lifecycle; never `exited`: then there is no worker. */
  readonly state: WorkerState;
  /** Id of its process; undefined until it was launched, and where it has none of its own. */
  readonly pid: number | undefined;
  /** The command line, or where it dialled in from, for people. */
  readonly description: string;
  /** What its launcher gives, whatever was asked for. */
  readonly isolation: IsolationLevel;
  /** ISO 8601 time. */
  readonly startedAt: string;
  /** Calls and streams of the host to it that have not settled. */
  readonly callsInFlight: number;
  /** Bytes that wait because the worker does not read them. */
  readonly queuedBytes: number;
  /** Messages that the worker has not confirmed. */
  readonly unackedMessages: number;
}

/** What can be said of a worker; undefined if it is gone. */
export function inspectWorker(worker: Worker): WorkerInspection | undefined {
  const { id, generation, state, pid, description, isolation, offer } = worker;
  if (state === 'exited') return undefined;
  const session = state === 'ready' || state === 'draining' ? worker.session : undefined;
  return {
    id,
    generation,
    state,
    pid,
    description,
    isolation,
    startedAt: new Date(worker.startedAt).toISOString(),
    callsInFlight: session?.callsInFlight ?? 0,
    queuedBytes: session?.queuedBytes ?? 0,
    unackedMessages: session?.unackedMessages ?? 0,
    ...offer,
  };
}
