import type { Socket } from 'node:net';
import type { Connection } from '../../src/interfaces/transport.js';
import type { WebSocket } from './ws-package.js';

/** What a connection says of itself to whoever counts what it holds. */
export interface AnswerWatch {
  /** It sends for the first time. */
  noteAnswer(): void;
  /** This side begins to close it. What it has sent was a farewell, and perhaps nothing else. May end it at once. */
  noteClosing(): void;
}

/** A connection, and the bytes of its unfinished message. */
interface Counted {
  readonly connection: Connection;
  heldBytes: number;
  /** Whether it belongs to those whose bytes are bounded. */
  bounded: boolean;
}

/**
 * Bounds what strangers can make a listener hold. A WebSocket message is kept until it is complete, and only then is its first frame's length seen; so the
 * bytes of unfinished messages are counted, over all connections to which this side has sent nothing yet, or which it is closing: a reject is an answer too.
 * Above the limit the one that holds most is ended: honest ones, whose hello is small, go on.
 */
export class UnansweredBytes {
  readonly #limit: number;
  readonly #bounded = new Set<Counted>();
  #totalBytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts what arrives on `stream` until it ends. */
  watch(connection: Connection, stream: Socket, socket: WebSocket): AnswerWatch {
    const entry: Counted = { connection, heldBytes: 0, bounded: true };
    this.#bounded.add(entry);
    // Before the socket's own listener, so that a message which ends in this chunk is taken off again.
    stream.prependListener('data', (chunk: Uint8Array) => this.#hold(entry, entry.heldBytes + chunk.length));
    socket.on('message', (data) => {
      // What came behind it in one read is held already. It is neglected where nothing is bounded, since what headers take would otherwise add up for ever.
      this.#hold(entry, entry.bounded ? Math.max(0, entry.heldBytes - bytesOf(data)) : 0);
    });
    let gone = false;
    stream.once('close', () => {
      gone = true;
      this.#release(entry);
    });
    return {
      noteAnswer: () => this.#release(entry),
      noteClosing: () => {
        if (entry.bounded || gone) return;
        entry.bounded = true;
        this.#bounded.add(entry);
        this.#totalBytes += entry.heldBytes;
        this.#enforce(entry);
      },
    };
  }

  #hold(entry: Counted, bytes: number): void {
    if (entry.bounded) this.#totalBytes += bytes - entry.heldBytes;
    entry.heldBytes = bytes;
    if (entry.bounded) this.#enforce(entry);
  }

  #release(entry: Counted): void {
    if (!entry.bounded) return;
    entry.bounded = false;
    this.#bounded.delete(entry);
    this.#totalBytes -= entry.heldBytes;
  }

  #enforce(newest: Counted): void {
    if (this.#totalBytes <= this.#limit) return;
    let largest = newest;
    for (const other of this.#bounded) if (other.heldBytes > largest.heldBytes) largest = other;
    this.#release(largest);
    const reason = `It sent an unfinished message before it was answered or while it was closed, and all such together exceed ${this.#limit} bytes (maxUnansweredBytes).`;
    largest.connection.close({ abort: true, reason });
  }
}

/** A message arrives as fragments; a text message as one. */
function bytesOf(data: unknown): number {
  if (!Array.isArray(data)) return (data as Uint8Array).length;
  let bytes = 0;
  for (const piece of data as Uint8Array[]) bytes += piece.length;
  return bytes;
}
