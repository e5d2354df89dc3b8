import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Clock } from '../interfaces/platform.js';
import type { NestedCallOptions, Progress } from './call-options.js';
import { ReceiveCredit } from './credit.js';
import type { IncomingCall, NestedCall } from './incoming-call.js';
import type { ParentCall } from './incoming-calls.js';
import { ItemQueue } from './item-queue.js';
import { ItemSender } from './item-sender.js';
import type { MessageConnection } from './message-connection.js';
import type { Departure, QueuedFrame } from './outbox.js';

/** What an outgoing call needs of its session. */
export interface OutgoingCallOwner {
  readonly connection: MessageConnection;
  readonly clock: Clock;
  /** Tells the other side that nobody waits any more. */
  sendCancel(call: OutgoingCall, reason: string): void;
  onSettled(call: OutgoingCall): void;
}

/** The time limits of a call. */
export interface CallTimes {
  /** An instant of the clock, or `Infinity`. */
  readonly deadlineAt: number;
  /** The limit that was asked for; 0 = none. */
  readonly timeoutMs: number;
  /** Longest silence; 0 = no limit. */
  readonly idleTimeoutMs: number;
  /** When the call is made, an instant of the clock. */
  readonly madeAt: number;
}

/** A call that this side made and that is not settled yet. Settles exactly once, whatever dies. */
export class OutgoingCall implements Departure, ParentCall, NestedCall {
  batch = -1;
  queued: QueuedFrame | undefined;
  readonly id: number;
  readonly method: string;
  readonly deadlineAt: number;
  readonly timeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly tag: unknown;
  readonly settled: Promise<unknown>;
  readonly queue: ItemQueue | undefined;
  readonly sender: ItemSender | undefined;
  /** When the callee was last heard of in this call. */
  heardAt: number;
  readonly #owner: OutgoingCallOwner;
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  /** The call in the course of which it was made. */
  readonly parent: IncomingCall | undefined;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;
  #done = false;
  #nested: Set<IncomingCall> | undefined;
  #signal: AbortSignal | undefined;

  constructor(owner: OutgoingCallOwner, id: number, method: string, times: CallTimes, options: NestedCallOptions, expectsItems: boolean) {
    this.#owner = owner;
    this.id = id;
    this.method = method;
    this.deadlineAt = times.deadlineAt;
    this.timeoutMs = times.timeoutMs;
    this.idleTimeoutMs = times.idleTimeoutMs;
    this.tag = options.tag;
    this.heardAt = times.madeAt;
    this.#onProgress = options.onProgress;
    this.parent = options.parent;
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (expectsItems) {
      const credit = new ReceiveCredit(owner.clock, (bytes) => {
        if (!this.#done) owner.connection.send({ kind: 'credit', id, bytes }, 'control');
      });
      this.queue = new ItemQueue(credit, {
        onLeave: () =>
          this.cancel(new WorkerRuntimeError('CANCELLED', `The reader of "${method}" left the stream.`, { mayHaveRun: this.mayHaveRun })),
        // What the callee was silent for while there was enough to read does not count.
        onEmptied: () => this.noteHeard(),
      });
    }
    if (options.input !== undefined) this.sender = new ItemSender(owner.connection, id);
    if (options.signal !== undefined) {
      this.#signal = options.signal;
      options.signal.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  get done(): boolean {
    return this.#done;
  }
  /** Whether the callee may have begun, or may still: false as long as the request is in our queue. */
  get mayHaveRun(): boolean {
    return this.#owner.connection.outbox.mayArrive(this);
  }
  /** The instant at which silence has lasted too long; `Infinity` without such a limit. */
  get idleDeadlineAt(): number {
    if (this.idleTimeoutMs === 0) return Number.POSITIVE_INFINITY;
    return this.heardAt + this.idleTimeoutMs;
  }

  adopt(nested: IncomingCall): void {
    this.#nested ??= new Set();
    this.#nested.add(nested);
  }
  disown(nested: IncomingCall): void {
    this.#nested?.delete(nested);
  }

  /** The callee gave a sign of life in this call. */
  noteHeard(): void {
    this.heardAt = this.#owner.clock.now();
  }

  /** The other side answered. */
  respond(error: WorkerRuntimeError | undefined, result: unknown): void {
    if (error !== undefined) return this.#settle(error, undefined);
    this.queue?.end();
    this.#settle(undefined, result);
  }

  /** Nobody waits any more: settles at once and tells the other side. */
  cancel(error: WorkerRuntimeError): void {
    if (this.#done) return;
    this.#settle(error, undefined);
    this.#owner.sendCancel(this, error.message);
  }

  endWithParent(): void {
    // When it was the session that ended, this call is about to be settled as lost, which says more.
    if (this.#owner.connection.ended) return;
    const message = `The call of "${this.method}" was cancelled: the call of "${this.parent?.method}", in which it is nested, has ended.`;
    this.cancel(new WorkerRuntimeError('CANCELLED', message, { mayHaveRun: this.mayHaveRun }));
  }

  /** Settles without telling: there is nobody to tell. */
  abandon(error: WorkerRuntimeError): void {
    this.#settle(error, undefined);
  }

  progress(progress: Progress): void {
    this.noteHeard();
    try {
      this.#onProgress?.(progress);
    } catch (cause) {
      // Whoever made the call gets the error; the session and the other calls have nothing to do with it.
      this.cancel(
        new WorkerRuntimeError('CANCELLED', `The call of "${this.method}" was cancelled: its onProgress threw.`, { cause, mayHaveRun: true }),
      );
    }
  }

  /** Whether items of the callee may arrive. */
  get acceptsItems(): boolean {
    return this.queue?.endArrived === false;
  }
  /** Whether this side sends items, for which the callee grants credit. */
  get hasSender(): boolean {
    return this.sender !== undefined;
  }

  receiveItem(value: unknown, bytes: number): void {
    this.noteHeard();
    this.queue?.push(value, bytes);
  }

  receiveEnd(error: WorkerRuntimeError | undefined): void {
    this.queue?.receiveEnd(error);
  }

  receiveCredit(bytes: number): void {
    this.noteHeard();
    this.sender?.grant(bytes);
  }

  #settle(error: WorkerRuntimeError | undefined, result: unknown): void {
    if (this.#done) return;
    this.#done = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.parent?.disown(this);
    if (error === undefined) this.#resolve(result);
    else {
      if (this.queue?.ended === false) this.queue.end(error);
      this.#reject(error);
    }
    this.sender?.close(error ?? new WorkerRuntimeError('INVALID_STATE', `"${this.method}" was answered; no items can follow.`));
    if (this.#nested !== undefined) {
      const reason = new WorkerRuntimeError('CANCELLED', `The call of "${this.method}" that this one is nested in has ended.`, { mayHaveRun: true });
      const calls = this.#nested;
      this.#nested = undefined;
      for (const nested of calls) nested.cancel(reason);
    }
    this.#owner.onSettled(this);
  }

  readonly #onAbort = (): void => {
    const cause: unknown = this.#signal?.reason;
    this.cancel(
      new WorkerRuntimeError('CANCELLED', `The call of "${this.method}" was cancelled by its signal.`, { cause, mayHaveRun: this.mayHaveRun }),
    );
  };
}
