import type { Scope } from '../capabilities/capability.js';
import type { CallLink, ServiceCall } from '../services/define-service.js';
import type { IncomingCall } from '../session/incoming-call.js';
import type { WorkerIdentity } from '../worker/worker-options.js';

/** A one-way message: nobody waits for an answer, so that nobody can give up. */
const neverAborted = new AbortController().signal;

/** A request or one-way message of a worker, as a service sees it. */
export class WorkerCall implements ServiceCall {
  readonly pluginId: string;
  readonly workerId: string;
  readonly generation: number;
  readonly method: string;
  readonly request: IncomingCall | undefined;
  /** Set by the broker when it has judged the call. */
  scope: Scope = {};

  constructor(pluginId: string, worker: Pick<WorkerIdentity, 'id' | 'generation'>, method: string, request?: IncomingCall) {
    this.pluginId = pluginId;
    this.workerId = worker.id;
    this.generation = worker.generation;
    this.method = method;
    this.request = request;
  }

  get signal(): AbortSignal {
    return this.request?.signal ?? neverAborted;
  }
  get deadlineAt(): number {
    return this.request?.deadlineAt ?? Number.POSITIVE_INFINITY;
  }
  get traceparent(): string | undefined {
    return this.request?.traceparent;
  }
  get chain(): readonly CallLink[] {
    return (this.request?.parentTag as readonly CallLink[] | undefined) ?? [];
  }

  progress(fraction: number | undefined, message?: string): void {
    this.request?.progress(fraction, message);
  }
}
