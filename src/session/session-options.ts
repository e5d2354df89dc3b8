import type { Reason } from '../errors/reason.js';
import type { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Clock } from '../interfaces/platform.js';
import type { CloseReason } from '../interfaces/transport.js';
import type { IncomingCall } from './incoming-call.js';
import type { MessageConnection } from './message-connection.js';

/** How a session ended. */
export interface SessionEnd {
  /** The code of the goodbye, or of what happened instead of one. */
  readonly code: string;
  /** A sentence for a person. */
  readonly message: string;
  /** Whether the other side said goodbye. */
  readonly goodbye: boolean;
}

/** What is known about a session that was lost: it goes into the error of every call that was in flight. */
export interface Loss {
  /** A sentence for a person. */
  readonly message: string;
  readonly reason: Reason;
}

/** What a session tells its owner. */
export interface SessionHandlers {
  /** The other side calls. The handler owes the one answer, `call.respond` or `call.fail`. */
  onRequest(call: IncomingCall): void;
  /** A one-way message. It counts as consumed when the returned promise, if any, is settled. */
  onOneWay(method: string, params: unknown, traceparent: string | undefined): void | Promise<void>;
  /** One-way messages can be sent again after `notify` returned false. */
  onOneWayCredit?(): void;
  /** The other side takes no new calls. */
  onDrain?(graceMs: number | undefined, reason: string | undefined): void;
  /** A protocol error that does not end the session. */
  onViolation?(error: WorkerRuntimeError): void;
  /** The connection was lost; the session waits for another, and ends if none comes. */
  onSuspend?(reason: CloseReason): void;
  /** It goes on over another connection. */
  onResume?(): void;
  /** The session has ended and its calls are about to be settled: says why, once that is known (soon: callers wait for it). */
  explainLoss?(end: SessionEnd): Promise<Loss>;
  /** Exactly once; every call is settled by then. */
  onEnd(end: SessionEnd): void;
}

/** What a session is made of. */
export interface SessionOptions {
  readonly connection: MessageConnection;
  readonly clock: Clock;
  /** Decides the parity of ids, and what a lost session is called. */
  readonly side: 'host' | 'peer';
  /** Calls of the other side that may be unanswered. */
  readonly maxIncomingCalls: number;
  /** Calls of this side that may be in flight. */
  readonly maxOutgoingCalls: number;
  readonly debug: boolean;
  readonly handlers: SessionHandlers;
}
