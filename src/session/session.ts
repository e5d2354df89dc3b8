import { fromWireError } from '../errors/wire-error.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { CloseReason, Connection } from '../interfaces/transport.js';
import type { Message } from '../messages/message.js';
import type { NestedCallOptions } from './call-options.js';
import { CallStream } from './call-stream.js';
import { IncomingCalls } from './incoming-calls.js';
import type { MessageConnection, MessageReceiver } from './message-connection.js';
import { OneWayMessages, oneWayWindow } from './one-way-messages.js';
import { OutgoingCalls } from './outgoing-calls.js';
import { Pings } from './pings.js';
import type { Loss, SessionEnd, SessionHandlers, SessionOptions } from './session-options.js';

export type { Loss, SessionEnd, SessionHandlers, SessionOptions } from './session-options.js';

/** Recorded protocol errors after which a session is ended. */
const maxViolations = 100;

/** Two sides that have shaken hands: calls, streams and one-way messages both ways, until one of them says goodbye or is lost. */
export class Session implements MessageReceiver {
  readonly #connection: MessageConnection;
  readonly #handlers: SessionHandlers;
  readonly #lostCode: 'WORKER_LOST' | 'HOST_LOST';
  readonly #incoming: IncomingCalls;
  readonly #outgoing: OutgoingCalls;
  readonly #oneWay: OneWayMessages;
  #violations = 0;
  readonly #pings: Pings;
  #peerDraining = false;
  /** The goodbye that was said, by whichever side. */
  #goodbye: SessionEnd | undefined;
  #end: SessionEnd | undefined;
  #idleWaiters: (() => void)[] = [];

  constructor(options: SessionOptions) {
    const { connection, clock, side } = options;
    this.#connection = connection;
    this.#handlers = options.handlers;
    this.#lostCode = side === 'host' ? 'WORKER_LOST' : 'HOST_LOST';
    this.#pings = new Pings(clock, (nonce) => this.#send({ kind: 'ping', nonce }));
    this.#oneWay = new OneWayMessages({
      connection,
      clock,
      onMessage: ({ method, params, traceparent }) => this.#handlers.onOneWay(method, params, traceparent),
      onSendable: () => this.#handlers.onOneWayCredit?.(),
    });
    this.#incoming = new IncomingCalls({
      connection,
      clock,
      debug: options.debug,
      parity: side === 'host' ? 1 : 0,
      maxCalls: options.maxIncomingCalls,
      onRequest: (call) => this.#handlers.onRequest(call),
      findParent: (id) => this.#outgoing.get(id),
      onIdle: () => this.#checkIdle(),
    });
    this.#outgoing = new OutgoingCalls({
      connection,
      clock,
      firstId: side === 'host' ? 2 : 1,
      maxCalls: options.maxOutgoingCalls,
      onIdle: () => this.#checkIdle(),
    });
  }

  /** How the session ended; undefined while it lives. */
  get end(): SessionEnd | undefined {
    return this.#end;
  }
  get callsInFlight(): number {
    return this.#outgoing.size;
  }
  get incomingCallsInFlight(): number {
    return this.#incoming.size;
  }
  /** Handlers of incoming calls that have not ended, those of cancelled calls included. */
  get runningHandlers(): number {
    return this.#incoming.runningHandlers;
  }
  /** Whether the other side has said that it takes no new calls. */
  get peerDraining(): boolean {
    return this.#peerDraining;
  }
  /** Messages that the other side has not confirmed. */
  get unackedMessages(): number {
    return this.#connection.acknowledgement.unconfirmed;
  }
  get queuedBytes(): number {
    return this.#connection.outbox.queuedBytes;
  }
  /** When any byte arrived last, an instant of the clock. */
  get lastReceivedAt(): number {
    return this.#connection.lastReceivedAt;
  }

  /** Whether the connection was lost and the session waits for another. */
  get suspended(): boolean {
    return this.#connection.suspended;
  }
  /** How many messages of the other side arrived: what a resume states. */
  get received(): number {
    return this.#connection.acknowledgement.received;
  }
  /** Whether it could, if the other side has received all that it confirmed. */
  get resumable(): boolean {
    return this.canResume(this.#connection.acknowledgement.confirmedByPeer);
  }
  /** Whether the session can go on over another connection, for a peer that has received so many messages. */
  canResume(received: number): boolean {
    return this.#end === undefined && this.#connection.canResume(received);
  }
  /** No other connection will come: if it waits for one it ends, and so it does when the present one is lost. */
  forgoResume(): void {
    this.#connection.forgoResume();
  }
  /**
   * Goes on over another connection, which takes the place of the present one even if that is still open. The handshake of the resume must be
   * over on it; it is started here. @throws INVALID_STATE unless {@link Session.canResume}.
   */
  resume(connection: Connection, received: number): void {
    this.#connection.resume(connection, received);
  }

  /** Calls a method. Rejects with a `WorkerRuntimeError`; docs/errors.md lists the outcomes. */
  call(method: string, params: unknown, options: NestedCallOptions = {}): Promise<unknown> {
    try {
      this.#assertCallable(method, options);
      return this.#outgoing.start(method, params, options, false).settled;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Starts a stream. @throws what {@link Session.call} would reject with before anything was sent. */
  stream(method: string, params: unknown, options: NestedCallOptions = {}): CallStream {
    this.#assertCallable(method, options);
    return new CallStream(this.#outgoing.start(method, params, options, true));
  }

  /**
   * Sends a one-way message.
   * @returns false if nothing was sent: there is no credit or the connection is held up, and `onOneWayCredit` tells when to try again; or the session has ended.
   * @throws INVALID_VALUE, FRAME_TOO_LARGE.
   */
  notify(method: string, params: unknown, traceparent?: string): boolean {
    return this.#end === undefined && this.#oneWay.send(method, params, traceparent);
  }

  /** Pings; resolves with the round trip in milliseconds, never rejects, and stays pending if no pong comes. */
  ping(): Promise<number> {
    return this.#pings.ping();
  }

  /** Says that this side takes no new calls, except those nested in calls in flight. */
  drain(graceMs: number, reason: string): void {
    if (this.#incoming.draining || this.#end !== undefined) return;
    this.#incoming.draining = true;
    this.#send({ kind: 'drain', graceMs: Math.max(0, graceMs), reason });
  }

  /** Resolves when no call is in flight in either direction, or the session has ended. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idleWaiters.push(resolve);
      this.#checkIdle();
    });
  }

  /** Says goodbye and closes; calls in flight are settled as lost. Requests that have not left the queue are not sent any more. */
  close(code: string, message: string): void {
    this.#goodbye ??= { code, message, goodbye: false };
    this.#connection.close(code, message);
  }

  /** Ends at once, without a goodbye. */
  abort(message: string): void {
    this.#connection.abort(message);
  }

  /** Resolves when the connection is closed and what was sent is flushed or given up. */
  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  onMessage(message: Message, bytes: number): void {
    switch (message.kind) {
      case 'request':
        return this.#incoming.receive(message, bytes);
      case 'response': {
        const call = this.#outgoing.get(message.id);
        if (call === undefined) return this.#late(message.id, 'response', this.#outgoing);
        return call.respond(message.error === undefined ? undefined : fromWireError(message.error), message.result);
      }
      case 'oneWay':
        return this.#oneWay.receive(message, bytes);
      case 'cancel':
        if (!this.#incoming.isKnown(message.id)) return this.#record(`a cancel for the call ${message.id}, which was never made`);
        return this.#incoming.cancel(message.id, message.reason);
      case 'progress': {
        const call = this.#outgoing.get(message.id);
        if (call === undefined) return this.#late(message.id, 'progress', this.#outgoing);
        return call.progress({ fraction: message.fraction, message: message.message, data: message.data });
      }
      case 'item':
        return this.#onItem(message.id, message.value, bytes);
      case 'end':
        return this.#onItemsEnd(message.id, message.error === undefined ? undefined : fromWireError(message.error));
      case 'credit':
        return this.#onCredit(message.id, message.bytes);
      case 'ping':
        return this.#send({ kind: 'pong', nonce: message.nonce });
      case 'pong':
        return this.#pings.receive(message.nonce);
      case 'ack':
        return this.#connection.confirm(message.count);
      case 'drain':
        this.#peerDraining = true;
        return this.#handlers.onDrain?.(message.graceMs, message.reason);
      case 'goodbye':
        this.#goodbye = { code: message.code, message: message.message ?? 'The other side said goodbye.', goodbye: true };
        return this.#connection.finish('The other side said goodbye.');
      default:
        throw new WorkerRuntimeError('PROTOCOL_ERROR', `A ${message.kind} message is not acceptable after the handshake.`);
    }
  }

  onSuspend(reason: CloseReason): void {
    this.#pings.clear();
    this.#handlers.onSuspend?.(reason);
  }

  onResume(): void {
    this.#handlers.onResume?.();
  }

  onWritable(): void {
    this.#outgoing.pump();
    this.#incoming.pump();
    this.#oneWay.release();
  }

  lastWord(violation: WorkerRuntimeError): Message | undefined {
    if (violation.code === 'PROTOCOL_ERROR') return { kind: 'goodbye', code: violation.code, message: violation.message };
    // What went wrong inside this side is nobody else's business; and whoever does not read is told nothing.
    if (violation.code === 'INTERNAL_ERROR') return { kind: 'goodbye', code: violation.code, message: 'An internal error ended the session.' };
    return undefined;
  }

  onEnd(reason: CloseReason, violation: WorkerRuntimeError | undefined): void {
    if (violation !== undefined) this.#finish({ code: violation.code, message: violation.message, goodbye: false });
    else this.#finish(this.#goodbye ?? { code: reason.code, message: reason.message, goodbye: false });
  }

  #assertCallable(method: string, options: NestedCallOptions): void {
    if (this.#end !== undefined) {
      throw new WorkerRuntimeError(this.#lostCode, `"${method}" was not called: the session has ended (${this.#end.message}).`, {
        mayHaveRun: false,
      });
    }
    if (this.#peerDraining && options.parent?.isOn(this.#connection) !== true) {
      throw new WorkerRuntimeError('DRAINING', `"${method}" was not called: the other side is about to stop.`, { mayHaveRun: false });
    }
  }

  #onItem(id: number, value: unknown, bytes: number): void {
    const call = this.#outgoing.get(id) ?? this.#incoming.get(id);
    if (call === undefined) return this.#lateEither(id, 'item');
    if (!call.acceptsItems) return this.#record(`an item in the call ${id}, where none may come`);
    call.receiveItem(value, bytes);
  }

  #onItemsEnd(id: number, error: WorkerRuntimeError | undefined): void {
    const call = this.#outgoing.get(id) ?? this.#incoming.get(id);
    if (call === undefined) return this.#lateEither(id, 'end');
    if (!call.acceptsItems) return this.#record(`an end in the call ${id}, where no items come`);
    call.receiveEnd(error);
  }

  #onCredit(id: number, bytes: number): void {
    if (id === oneWayWindow) return this.#oneWay.grant(bytes);
    const call = this.#outgoing.get(id) ?? this.#incoming.get(id);
    if (call === undefined) return this.#lateEither(id, 'credit');
    if (!call.hasSender) return this.#record(`credit for the call ${id}, which sends it no items`);
    call.receiveCredit(bytes);
  }

  #late(id: number, what: string, calls: { isKnown(id: number): boolean }): void {
    // A call that was in flight once has been settled since: what comes late is dropped.
    if (!calls.isKnown(id)) this.#record(`a ${what} for the call ${id}, which was never made`);
  }

  #lateEither(id: number, what: string): void {
    if (!this.#incoming.isKnown(id)) this.#late(id, what, this.#outgoing);
  }

  #record(what: string): void {
    this.#violations += 1;
    const error = new WorkerRuntimeError('PROTOCOL_ERROR', `The other side sent ${what}.`);
    this.#handlers.onViolation?.(error);
    if (this.#violations >= maxViolations) {
      throw new WorkerRuntimeError('PROTOCOL_ERROR', `The other side broke the protocol ${maxViolations} times; the last time it sent ${what}.`);
    }
  }

  #send(message: Message): void {
    if (this.#end === undefined) this.#connection.send(message, 'control');
  }

  #checkIdle(): void {
    if (this.#idleWaiters.length === 0) return;
    if (this.#end === undefined && (this.#incoming.size > 0 || this.#outgoing.size > 0)) return;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }

  #finish(end: SessionEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#incoming.abandon(new WorkerRuntimeError(this.#lostCode, `The session ended: ${end.message}`));
    this.#pings.clear();
    const loss = this.#handlers.explainLoss?.(end);
    if (loss === undefined) return this.#settle(end, undefined);
    loss.then(
      (known) => this.#settle(end, known),
      () => this.#settle(end, undefined),
    );
  }

  #settle(end: SessionEnd, loss: Loss | undefined): void {
    this.#outgoing.abandon(this.#lostCode, loss?.message ?? end.message, loss?.reason);
    this.#checkIdle();
    this.#handlers.onEnd(end);
  }
}
