import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Clock } from '../interfaces/platform.js';
import type { RequestMessage } from '../messages/message.js';
import { DeadlineTimer } from './deadline-timer.js';
import { IncomingCall, type IncomingCallOwner } from './incoming-call.js';
import type { MessageConnection } from './message-connection.js';

/** A call of this side, in the course of which the other side makes calls. */
export interface ParentCall {
  readonly deadlineAt: number;
  readonly tag: unknown;
  /** Takes a nested call: it is cancelled when this one settles. */
  adopt(nested: IncomingCall): void;
  /** A nested call was answered. */
  disown(nested: IncomingCall): void;
}

/** Bytes that the requests whose handlers run may hold together, for each session. */
const maxRunningBytes = 32 * 1024 * 1024;

/** What the table of incoming calls is made of. */
export interface IncomingCallsOptions {
  readonly connection: MessageConnection;
  readonly clock: Clock;
  readonly debug: boolean;
  /** Ids of the other side's calls: 0 for even, 1 for odd. */
  readonly parity: 0 | 1;
  /** Calls that may be unanswered at a time; more are answered `OVERLOADED`. */
  readonly maxCalls: number;
  /** Hands a call to its handler. */
  onRequest(call: IncomingCall): void;
  /** The call of this side that a call is nested in; undefined if it is not in flight. */
  findParent(parentId: number): ParentCall | undefined;
  /** The last unanswered call was answered. */
  onIdle(): void;
}

/** The calls that the other side made and that are not answered yet. */
export class IncomingCalls implements IncomingCallOwner {
  readonly connection: MessageConnection;
  readonly clock: Clock;
  readonly debug: boolean;
  /** Whether new calls, except nested ones, are refused. */
  draining = false;
  readonly #options: IncomingCallsOptions;
  readonly #calls = new Map<number, IncomingCall>();
  readonly #deadlines: DeadlineTimer;
  #lastId = 0;
  #running = 0;
  #runningBytes = 0;

  constructor(options: IncomingCallsOptions) {
    this.connection = options.connection;
    this.clock = options.clock;
    this.debug = options.debug;
    this.#options = options;
    this.#deadlines = new DeadlineTimer(options.clock, (now) => this.#sweep(now));
  }

  get size(): number {
    return this.#calls.size;
  }
  /** Handlers that have not ended, those of calls that were cancelled included. */
  get runningHandlers(): number {
    return this.#running;
  }
  get(id: number): IncomingCall | undefined {
    return this.#calls.get(id);
  }
  /** Whether the other side has ever used this id. */
  isKnown(id: number): boolean {
    return id > 0 && id <= this.#lastId && id % 2 === this.#options.parity;
  }

  /** A request arrived. @throws PROTOCOL_ERROR if its id has the wrong parity or is not above the last one. */
  receive(request: RequestMessage, bytes: number): void {
    const { id } = request;
    if (id % 2 !== this.#options.parity || id <= this.#lastId) {
      throw new WorkerRuntimeError(
        'PROTOCOL_ERROR',
        `Request id ${id} is not acceptable: ids of this side are ${this.#options.parity === 0 ? 'even' : 'odd'} and increase.`,
      );
    }
    this.#lastId = id;
    // A nested call must be admitted while draining, or the calls that wait for it could never end.
    if (this.draining && request.parentId === undefined) {
      return this.#refuse(id, new WorkerRuntimeError('DRAINING', 'This side is about to stop and takes no new calls.'));
    }
    if (this.#calls.size >= this.#options.maxCalls) {
      return this.#refuse(id, new WorkerRuntimeError('OVERLOADED', `${this.#options.maxCalls} calls are in flight already; try again later.`));
    }
    // Cancelled calls are answered, but their handlers may go on: who calls and cancels in a loop must not start handlers without end.
    // Twice the limit, since those that do stop need a moment for it, while the calls that replace them are here already.
    if (this.#running >= 2 * this.#options.maxCalls) {
      return this.#refuse(id, new WorkerRuntimeError('OVERLOADED', 'Too many handlers of cancelled calls have not ended yet; try again later.'));
    }
    // One call is always let in, however large.
    if (this.#running > 0 && this.#runningBytes + bytes > maxRunningBytes) {
      return this.#refuse(
        id,
        new WorkerRuntimeError('OVERLOADED', `The params of calls in flight hold ${this.#runningBytes} bytes already; try again later.`),
      );
    }
    const parent = request.parentId === undefined ? undefined : this.#options.findParent(request.parentId);
    if (request.parentId !== undefined && parent === undefined) {
      return this.#refuse(id, new WorkerRuntimeError('CANCELLED', `The call ${request.parentId} that this one is nested in has ended.`));
    }
    const now = this.clock.now();
    const own = request.deadlineMs === undefined ? Number.POSITIVE_INFINITY : now + request.deadlineMs;
    const deadlineAt = parent === undefined ? own : Math.min(own, parent.deadlineAt);
    if (deadlineAt <= now) {
      return this.#refuse(
        id,
        new WorkerRuntimeError('DEADLINE_EXCEEDED', `No time was left for "${request.method}" when it arrived; it was not begun.`),
      );
    }
    const call = new IncomingCall(this, request, bytes, deadlineAt, parent?.tag);
    parent?.adopt(call);
    this.#calls.set(id, call);
    this.#running += 1;
    this.#runningBytes += bytes;
    if (deadlineAt !== Number.POSITIVE_INFINITY) this.#deadlines.arm(deadlineAt);
    this.#options.onRequest(call);
  }

  /** The caller cancelled. */
  cancel(id: number, reason: string | undefined): void {
    this.#calls
      .get(id)
      ?.cancel(
        new WorkerRuntimeError('CANCELLED', reason === undefined ? 'The caller cancelled the call.' : `The caller cancelled the call: ${reason}`),
      );
  }

  /** The connection takes bulk data again. */
  pump(): void {
    for (const call of this.#calls.values()) call.pump();
  }

  /** Cancels all: the session is over. */
  abandon(error: WorkerRuntimeError): void {
    this.#deadlines.stop();
    for (const call of [...this.#calls.values()]) call.cancel(error);
  }

  onAnswered(call: IncomingCall): void {
    if (call.parentId !== undefined) this.#options.findParent(call.parentId)?.disown(call);
    if (this.#calls.delete(call.id) && this.#calls.size === 0) this.#options.onIdle();
  }

  onReleased(call: IncomingCall): void {
    this.#running -= 1;
    this.#runningBytes -= call.bytes;
  }

  #refuse(id: number, error: WorkerRuntimeError): void {
    this.connection.send(
      { kind: 'response', id, error: { code: error.code, message: error.message, retryable: error.retryable, mayHaveRun: false } },
      'bulk',
    );
  }

  #sweep(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const call of [...this.#calls.values()]) {
      if (call.deadlineAt <= now)
        call.cancel(
          new WorkerRuntimeError('DEADLINE_EXCEEDED', `"${call.method}" did not end within its time limit of ${Math.round(call.timeLimitMs)} ms.`, {
            mayHaveRun: true,
          }),
        );
      else if (call.deadlineAt < next) next = call.deadlineAt;
    }
    return next;
  }
}
