import { toWireError, type WireError } from '../errors/wire-error.js';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Clock } from '../interfaces/platform.js';
import { flagCalleeStreams, flagCallerStreams, type RequestMessage } from '../messages/message.js';
import { ReceiveCredit } from './credit.js';
import { ItemQueue } from './item-queue.js';
import { ItemSender } from './item-sender.js';
import type { MessageConnection } from './message-connection.js';
import type { Departure } from './outbox.js';

/** What an incoming call needs of its session. */
export interface IncomingCallOwner {
  readonly connection: MessageConnection;
  readonly clock: Clock;
  /** Whether stacks of errors travel. */
  readonly debug: boolean;
  /** The answer was given. */
  onAnswered(call: IncomingCall): void;
  /** The handler has ended, and the answer was given. */
  onReleased(call: IncomingCall): void;
}

/** A call that was made in the course of an incoming one, on whichever session. */
export interface NestedCall {
  /** The call in the course of which it was made has ended: nobody waits for it any more. */
  endWithParent(): void;
}

/**
 * A call that the other side made: what it wants, and the one answer it gets. `respond` or `fail` must be called once;
 * later calls of either do nothing, so that a handler that ends after a cancel harms nobody.
 */
export class IncomingCall {
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
  /** An instant of the clock, or `Infinity`. */
  readonly deadlineAt: number;
  /** Size of the request, which is held until the handler has ended. */
  readonly bytes: number;
  /** How long it may take in all, counted from its arrival; `Infinity` = no limit. */
  readonly timeLimitMs: number;
  readonly idempotencyKey: string | undefined;
  readonly actingFor: string | undefined;
  readonly traceparent: string | undefined;
  readonly parentId: number | undefined;
  /** The tag of this side's call that this one is nested in. */
  readonly parentTag: unknown;
  /** Whether the caller expects items. */
  readonly expectsItems: boolean;
  /** Whether the caller sends items: read them from {@link IncomingCall.items}. */
  readonly sendsItems: boolean;
  readonly #owner: IncomingCallOwner;
  #queue: ItemQueue | undefined;
  #sender: ItemSender | undefined;
  #controller: AbortController | undefined;
  #cancelListeners: ((error: WorkerRuntimeError) => void)[] | undefined;
  #nested: Set<NestedCall> | undefined;
  #progress: Departure | undefined;
  #cancelError: WorkerRuntimeError | undefined;
  #answered = false;
  #handled = false;

  constructor(owner: IncomingCallOwner, request: RequestMessage, bytes: number, deadlineAt: number, parentTag: unknown) {
    this.#owner = owner;
    this.id = request.id;
    this.method = request.method;
    this.params = request.params;
    this.bytes = bytes;
    this.deadlineAt = deadlineAt;
    this.timeLimitMs = deadlineAt - owner.clock.now();
    this.idempotencyKey = request.idempotencyKey;
    this.actingFor = request.actingFor;
    this.traceparent = request.traceparent;
    this.parentId = request.parentId;
    this.parentTag = parentTag;
    const flags = request.flags ?? 0;
    this.sendsItems = (flags & flagCallerStreams) !== 0;
    this.expectsItems = (flags & flagCalleeStreams) !== 0;
    if (this.sendsItems) {
      const credit = new ReceiveCredit(owner.clock, (bytes) => {
        if (!this.#answered) owner.connection.send({ kind: 'credit', id: this.id, bytes }, 'control');
      });
      this.#queue = new ItemQueue(credit);
    }
    if (this.expectsItems) this.#sender = new ItemSender(owner.connection, this.id);
  }

  get answered(): boolean {
    return this.#answered;
  }
  /** Whether the caller no longer waits: it cancelled, the time is up, or the session ended. */
  get cancelled(): boolean {
    return this.#cancelError !== undefined;
  }
  /** Why it was cancelled: `CANCELLED`, `DEADLINE_EXCEEDED`, `WORKER_LOST` or `HOST_LOST`. */
  get cancelError(): WorkerRuntimeError | undefined {
    return this.#cancelError;
  }
  /** Aborted when the caller no longer waits. Made on first use: a signal costs more than a call. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancelError !== undefined) this.#controller.abort(this.#cancelError);
    }
    return this.#controller.signal;
  }
  /** The items that the caller sends; empty unless {@link IncomingCall.sendsItems}. */
  get items(): AsyncIterableIterator<unknown> {
    if (this.#queue === undefined) {
      this.#queue = new ItemQueue(new ReceiveCredit(this.#owner.clock, () => {}));
      this.#queue.end();
    }
    return this.#queue;
  }

  /** Whether the call came over this connection, so that its id means something there. */
  isOn(connection: MessageConnection): boolean {
    return this.#owner.connection === connection;
  }

  /** Takes a call that is made in the course of this one: it is cancelled when this one is cancelled or answered. */
  adopt(nested: NestedCall): void {
    this.#nested ??= new Set();
    this.#nested.add(nested);
  }
  /** A nested call has settled. */
  disown(nested: NestedCall): void {
    this.#nested?.delete(nested);
  }

  /** Calls back when the caller no longer waits; at once if that is so already. The listener must not throw. */
  onCancel(listener: (error: WorkerRuntimeError) => void): void {
    if (this.#cancelError !== undefined) listener(this.#cancelError);
    else if (this.#cancelListeners === undefined) this.#cancelListeners = [listener];
    else this.#cancelListeners.push(listener);
  }

  /**
   * Sends an item to the caller.
   * @returns undefined if it is on its way, else a promise to await before the next: the reader is slower.
   * @throws INVALID_VALUE, FRAME_TOO_LARGE, OVERLOADED, INVALID_STATE, or what ended the call.
   */
  sendItem(value: unknown): Promise<void> | undefined {
    if (this.#sender === undefined)
      throw new WorkerRuntimeError('INVALID_STATE', `The caller of "${this.method}" expects no items; it made a plain call.`);
    if (this.#cancelError !== undefined) throw this.#cancelError;
    if (this.#answered) throw new WorkerRuntimeError('INVALID_STATE', `"${this.method}" was answered; no items can follow.`);
    return this.#sender.send(value);
  }

  /**
   * Tells the caller how far the work is: a fraction from 0 to 1, or anything else where that is not known. While the connection is held up
   * only the latest word is kept. Does nothing once the call is over. @throws INVALID_VALUE, FRAME_TOO_LARGE for `data`.
   */
  progress(fraction: number | undefined, message?: string, data?: unknown): void {
    if (this.#answered || this.#cancelError !== undefined) return;
    const known = fraction === undefined || Number.isNaN(fraction) ? undefined : Math.min(1, Math.max(0, fraction));
    const { connection } = this.#owner;
    const body = connection.encode({ kind: 'progress', id: this.id, fraction: known, message, data });
    if (this.#progress !== undefined && connection.outbox.replace(this.#progress, body)) return;
    this.#progress = connection.outbox.blocked ? { batch: -1, queued: undefined } : undefined;
    connection.sendBody(body, 'control', true, this.#progress);
  }

  /** These buffers are given away: large data in them is sent without a copy. @throws INVALID_ARGUMENT */
  handOver(buffers: readonly ArrayBuffer[]): void {
    this.#owner.connection.handOver(buffers);
  }

  /** The handler ended well: answers. A result that cannot be sent becomes the error that says so. */
  respond(result: unknown): void {
    this.#end(() => this.#succeed(result));
  }

  /** The handler failed: answers with an error. */
  fail(thrown: unknown): void {
    this.#end(() => this.#answerWithError(thrown));
  }

  /** The caller no longer waits: the handler is told, and the answer is given in its place, whether or not it ever ends. */
  cancel(error: WorkerRuntimeError): void {
    if (this.#answered || this.#cancelError !== undefined) return;
    this.#cancelError = error;
    this.#queue?.abort(error);
    this.#sender?.close(error);
    this.#answerWithError(error);
    this.#controller?.abort(error);
    for (const listener of this.#cancelListeners ?? []) listener(error);
  }

  /** @internal */
  receiveItem(value: unknown, bytes: number): void {
    this.#queue?.push(value, bytes);
  }
  /** @internal */
  receiveEnd(error: unknown): void {
    this.#queue?.receiveEnd(error);
  }
  /** Whether items of the caller may arrive. @internal */
  get acceptsItems(): boolean {
    return this.sendsItems && this.#queue?.endArrived !== true;
  }
  /** Whether this side sends items, for which the caller grants credit. @internal */
  get hasSender(): boolean {
    return this.#sender !== undefined;
  }
  /** @internal */
  receiveCredit(bytes: number): void {
    this.#sender?.grant(bytes);
  }
  /** @internal */
  pump(): void {
    this.#sender?.pump();
  }

  /** The handler ends once; what it says after that is nobody's business. */
  #end(answer: () => void): void {
    if (this.#handled) return;
    this.#handled = true;
    if (this.#answered) this.#owner.onReleased(this);
    else answer();
  }

  #succeed(result: unknown): void {
    if (this.#answered) return;
    if (this.#sender?.held === true) return this.#sender.whenEmpty(() => this.#succeed(result));
    try {
      this.#answer(undefined, result);
    } catch (error) {
      const known = isWorkerRuntimeError(error) ? error : new WorkerRuntimeError('INVALID_VALUE', 'it could not be read.');
      const message = `The result of "${this.method}" could not be sent: ${known.message}`;
      this.#answerWithError(new WorkerRuntimeError(known.code, message, { details: known.details, mayHaveRun: true }));
    }
  }

  #answerWithError(thrown: unknown): void {
    if (this.#answered) return;
    try {
      this.#answer(toWireError(thrown, this.#owner.debug), undefined);
    } catch {
      // An error fits the wire whatever its details are, unless reading them fails. One answer is owed all the same.
      this.#answer({ code: 'HANDLER_ERROR', message: `"${this.method}" failed with an error that could not be read.` }, undefined);
    }
  }

  /** @throws INVALID_VALUE, FRAME_TOO_LARGE; no answer was given then. */
  #answer(error: WireError | undefined, result: unknown): void {
    const { connection } = this.#owner;
    const staged = connection.ended ? undefined : connection.stage({ kind: 'response', id: this.id, error, result }, 'bulk');
    // Done before it is sent: if the sending ends the session, this call is out of its way.
    this.#answered = true;
    if (this.#progress !== undefined) connection.outbox.drop(this.#progress);
    if (staged !== undefined) connection.dispatch(staged, 'bulk', true);
    this.#queue?.abort(undefined);
    this.#sender?.close(new WorkerRuntimeError('INVALID_STATE', `"${this.method}" was answered; no items can follow.`));
    const nested = this.#nested;
    this.#nested = undefined;
    for (const call of nested ?? []) call.endWithParent();
    this.#owner.onAnswered(this);
    if (this.#handled) this.#owner.onReleased(this);
  }
}
