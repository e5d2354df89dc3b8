import type { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { FrameLimits } from '../frames/limits.js';
import type { Clock } from '../interfaces/platform.js';
import type { CloseReason, Connection } from '../interfaces/transport.js';
import type { ValueCodec } from '../messages/codec.js';
import type { Message } from '../messages/message.js';

/** Who listens to a message connection: first the handshake, then the session. */
export interface MessageReceiver {
  /** @param bytes size of the frame's body. May throw PROTOCOL_ERROR, which ends the connection. */
  onMessage(message: Message, bytes: number): void;
  /** The connection takes bulk data again. */
  onWritable(): void;
  /** The connection was lost, and another may come. */
  onSuspend?(reason: CloseReason): void;
  /** Another connection has taken the place of the lost one. */
  onResume?(): void;
  /** What to tell the other side before the connection is closed because of a fault; by default, or if undefined, nothing. */
  lastWord?(violation: WorkerRuntimeError): Message | undefined;
  /** Exactly once. `violation` is set when this side ended it because the other one broke the protocol. */
  onEnd(reason: CloseReason, violation: WorkerRuntimeError | undefined): void;
}

/** What a message connection is made of. */
export interface MessageConnectionOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly codec: ValueCodec;
  /** Limits of values; frames are limited to 128 KiB until the handshake has set more. */
  readonly limits: FrameLimits;
  readonly maxQueuedBytes: number;
  /** A peer that takes nothing of what was sent for so long is given up as SLOW_READER. Default 30,000 ms. */
  readonly stallTimeoutMs?: number | undefined;
}

/** What both sides keep so that a session can be resumed, and for how long (docs/protocol.md, section 8). */
export interface ResumeTerms {
  /** How long a session waits for a new connection, milliseconds. */
  readonly windowMs: number;
  /** Bodies that are kept until they are confirmed. */
  readonly maxBytes: number;
}
