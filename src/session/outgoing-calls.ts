import type { Reason } from '../errors/reason.js';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Clock } from '../interfaces/platform.js';
import { flagCalleeStreams, flagCallerStreams, type RequestMessage } from '../messages/message.js';
import type { NestedCallOptions } from './call-options.js';
import { DeadlineTimer } from './deadline-timer.js';
import type { IncomingCall } from './incoming-call.js';
import type { MessageConnection } from './message-connection.js';
import { OutgoingCall, type OutgoingCallOwner } from './outgoing-call.js';

/** The default time limit of a call, and the default silence that a stream's reader bears. */
export const defaultTimeoutMs = 30_000;
const maxTimeoutMs = 2 ** 31 - 1;

/** What the table of outgoing calls is made of. */
export interface OutgoingCallsOptions {
  readonly connection: MessageConnection;
  readonly clock: Clock;
  /** The first id: 2 for the host, 1 for its peer. */
  readonly firstId: 1 | 2;
  /** Calls that may be in flight at a time; more are refused with `OVERLOADED`. */
  readonly maxCalls: number;
  /** The last call in flight has settled. */
  onIdle(): void;
}

/** The calls that this side made and that are not settled yet. */
export class OutgoingCalls implements OutgoingCallOwner {
  readonly connection: MessageConnection;
  readonly clock: Clock;
  readonly #options: OutgoingCallsOptions;
  readonly #calls = new Map<number, OutgoingCall>();
  readonly #deadlines: DeadlineTimer;
  #nextId: number;
  #staging = false;

  constructor(options: OutgoingCallsOptions) {
    this.connection = options.connection;
    this.clock = options.clock;
    this.#options = options;
    this.#nextId = options.firstId;
    this.#deadlines = new DeadlineTimer(options.clock, (now) => this.#sweep(now));
  }

  get size(): number {
    return this.#calls.size;
  }
  get(id: number): OutgoingCall | undefined {
    return this.#calls.get(id);
  }
  /** Whether this side has ever used this id. */
  isKnown(id: number): boolean {
    return id > 0 && id < this.#nextId && id % 2 === this.#options.firstId % 2;
  }

  /** Makes a call. @throws INVALID_ARGUMENT, INVALID_VALUE, FRAME_TOO_LARGE, OVERLOADED, CANCELLED; nothing was sent then. */
  start(method: string, params: unknown, options: NestedCallOptions, expectsItems: boolean): OutgoingCall {
    if (options.signal?.aborted === true) {
      throw new WorkerRuntimeError('CANCELLED', `The call of "${method}" was cancelled before it was made.`, {
        cause: options.signal.reason,
        mayHaveRun: false,
      });
    }
    if (options.parent?.cancelled === true || options.parent?.answered === true) {
      throw new WorkerRuntimeError('CANCELLED', `The call of "${options.parent.method}" that this one is nested in has ended.`, {
        mayHaveRun: false,
      });
    }
    if (this.#calls.size >= this.#options.maxCalls) {
      throw new WorkerRuntimeError('OVERLOADED', `${this.#options.maxCalls} calls are in flight already; try again later.`, { mayHaveRun: false });
    }
    this.connection.outbox.assertRoom();
    const timeoutMs = checkedTimeout('timeoutMs', options.timeoutMs, expectsItems ? 0 : defaultTimeoutMs);
    const idleTimeoutMs = expectsItems ? checkedTimeout('idleTimeoutMs', options.idleTimeoutMs, defaultTimeoutMs) : 0;
    const { parent } = options;
    const now = this.clock.now();
    const own = timeoutMs === 0 ? Number.POSITIVE_INFINITY : now + timeoutMs;
    const deadlineAt = parent === undefined ? own : Math.min(own, parent.deadlineAt);
    if (deadlineAt <= now)
      throw new WorkerRuntimeError('DEADLINE_EXCEEDED', `No time is left for "${method}": ${limitOf(deadlineAt, parent, timeoutMs)} has passed.`, {
        mayHaveRun: false,
      });
    if (options.transfer !== undefined) this.connection.handOver(options.transfer);
    const id = this.#nextId;
    const staged = this.#stage({
      kind: 'request',
      id,
      method,
      params,
      flags: (options.input === undefined ? 0 : flagCallerStreams) | (expectsItems ? flagCalleeStreams : 0),
      deadlineMs: deadlineAt === Number.POSITIVE_INFINITY ? undefined : Math.ceil(deadlineAt - now),
      traceparent: options.traceparent,
      // The id of a call of another session means nothing, or something else, on this one.
      parentId: parent?.isOn(this.connection) === true ? parent.id : undefined,
      idempotencyKey: options.idempotencyKey,
      actingFor: options.actingFor,
    });
    this.#nextId += 2;
    const call = new OutgoingCall(this, id, method, { deadlineAt, timeoutMs, idleTimeoutMs, madeAt: now }, options, expectsItems);
    this.#calls.set(id, call);
    parent?.adopt(call);
    this.connection.dispatch(staged, 'bulk', true, call);
    const firstDeadline = Math.min(deadlineAt, call.idleDeadlineAt);
    if (firstDeadline !== Number.POSITIVE_INFINITY) this.#deadlines.arm(firstDeadline);
    if (options.input !== undefined) void this.#sendInput(call, options.input);
    return call;
  }

  /** Ids leave in order, so nothing may be called while a request is being encoded. */
  #stage(request: RequestMessage): number | Uint8Array {
    if (this.#staging) throw new WorkerRuntimeError('INVALID_STATE', `"${request.method}" was called by a getter of another call's params.`);
    this.#staging = true;
    try {
      const staged = this.connection.stage(request, 'bulk');
      if (!this.connection.ended) return staged;
    } finally {
      this.#staging = false;
    }
    const why = `The call of "${request.method}" was not made: the session ended while its params were read.`;
    throw new WorkerRuntimeError(this.#options.firstId === 2 ? 'WORKER_LOST' : 'HOST_LOST', why, { mayHaveRun: false });
  }

  /** The connection takes bulk data again. */
  pump(): void {
    for (const call of this.#calls.values()) call.sender?.pump();
  }

  /** Settles all: the session is over. @param why a sentence. */
  abandon(code: 'WORKER_LOST' | 'HOST_LOST', why: string, reason?: Reason): void {
    this.#deadlines.stop();
    for (const call of [...this.#calls.values()]) {
      const { mayHaveRun } = call;
      const fate = mayHaveRun ? 'it may have run' : 'it was never sent';
      call.abandon(
        new WorkerRuntimeError(code, `The call of "${call.method}" was lost (${fate}): ${why}`, {
          mayHaveRun,
          ...(reason === undefined ? {} : { reason }),
        }),
      );
    }
  }

  sendCancel(call: OutgoingCall, reason: string): void {
    // What is still in our queue, the other side never hears of.
    if (!this.connection.outbox.drop(call)) this.connection.send({ kind: 'cancel', id: call.id, reason }, 'control');
  }

  onSettled(call: OutgoingCall): void {
    if (this.#calls.delete(call.id) && this.#calls.size === 0) this.#options.onIdle();
  }

  async #sendInput(call: OutgoingCall, input: AsyncIterable<unknown>): Promise<void> {
    const { sender } = call;
    if (sender === undefined) return;
    try {
      const iterator = input[Symbol.asyncIterator]();
      // The input is told to stop when the call settles, even while it is waited for.
      const leave = async (): Promise<void> => void (await iterator.return?.());
      const ignore = (): void => {};
      const stop = (): void => void leave().catch(ignore);
      call.settled.then(stop, stop);
      for (let next = await iterator.next(); next.done !== true && !call.done; next = await iterator.next()) await sender.send(next.value);
      sender.end();
    } catch (cause) {
      const message = `The input of "${call.method}" failed: ${cause instanceof Error ? cause.message : String(cause)}`;
      const { mayHaveRun } = call;
      const code = isWorkerRuntimeError(cause) ? cause.code : 'HANDLER_ERROR';
      const details = isWorkerRuntimeError(cause) ? cause.details : {};
      call.cancel(new WorkerRuntimeError(code, message, { cause, details, mayHaveRun }));
    }
  }

  #sweep(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const call of [...this.#calls.values()]) {
      if (call.queue?.hasItems === true) call.heardAt = now;
      if (call.deadlineAt <= now) call.cancel(timeoutError(call, limitOf(call.deadlineAt, call.parent, call.timeoutMs)));
      else if (call.idleDeadlineAt <= now) call.cancel(timeoutError(call, `${call.idleTimeoutMs} ms of silence (idleTimeoutMs)`));
      else next = Math.min(next, call.deadlineAt, call.idleDeadlineAt);
    }
    return next;
  }
}

function timeoutError(call: OutgoingCall, limit: string): WorkerRuntimeError {
  return new WorkerRuntimeError('DEADLINE_EXCEEDED', `"${call.method}" did not end within ${limit}.`, { mayHaveRun: call.mayHaveRun });
}

/** Names the limit that counts: its own, or that of the call in the course of which it was made. */
function limitOf(deadlineAt: number, parent: IncomingCall | undefined, timeoutMs: number): string {
  if (parent !== undefined && parent.deadlineAt <= deadlineAt) return `the time limit of "${parent.method}", in which it is nested`;
  return `its time limit of ${timeoutMs} ms (timeoutMs)`;
}

function checkedTimeout(name: string, value: number | undefined, byDefault: number): number {
  if (value === undefined) return byDefault;
  if (!Number.isFinite(value) || value < 0 || value > maxTimeoutMs) {
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `${name} must be a number of milliseconds from 0 (no limit) to ${maxTimeoutMs}.`);
  }
  return value;
}
