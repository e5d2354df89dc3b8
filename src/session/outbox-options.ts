import type { Clock } from '../interfaces/platform.js';
import type { Connection } from '../interfaces/transport.js';

/** Control messages overtake bulk ones when the connection is held up. */
export type Lane = 'control' | 'bulk';

/** Where a frame is on its way out, for those whose sender may still change its mind. */
export interface Departure {
  /** Number of the batch that the frame is in; -1 while it has not left the queue. */
  batch: number;
  /** The outbox's note while the frame waits in the queue. */
  queued: QueuedFrame | undefined;
}

/** A frame that waits until the connection takes more. */
export interface QueuedFrame {
  /** undefined: dropped. */
  body: Uint8Array | undefined;
  readonly departure: Departure | undefined;
  readonly counted: boolean;
}

/** What the outbox needs to know from its session. */
export interface OutboxOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  /** More than this many bytes waiting for a peer that does not read are too many. */
  readonly maxQueuedBytes: number;
  /** A connection that takes nothing more for so long has a peer that does not read. */
  readonly stallTimeoutMs: number;
  /** A frame that counts for the acknowledgement leaves the queue. */
  onDeparture(): void;
  /** A batch is about to leave: the last chance to add to it. */
  onFlush(): void;
  /** The connection takes more, and what was queued has left. */
  onIdle(): void;
  /** The queue grew over `maxQueuedBytes`. */
  onOverflow(queuedBytes: number): void;
  /** The connection took nothing more for `stallTimeoutMs`. */
  onStall(stallTimeoutMs: number): void;
}
