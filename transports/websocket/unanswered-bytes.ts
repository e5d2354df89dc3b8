import type { Socket } from 'node:net';
import type { Connection } from '../../src/interfaces/transport.js';
import type { WebSocket } from './ws-package.js';

/** A connection under watch. */
interface Unanswered {
  readonly connection: Connection;
  heldBytes: number;
}

/**
 * Bounds what strangers can make a listener hold. A WebSocket message is kept until it is complete, and only then is its first frame's length seen; so the
 * bytes of unfinished messages are counted, over all connections to which this side has sent nothing yet. Above the limit the one that holds most is
 * ended: honest ones, whose hello is small, go on.
 */
export class UnansweredBytes {
  readonly #limit: number;
  readonly #watched = new Set<Unanswered>();
  #totalBytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Counts what arrives on `stream` until `connection` sends for the first time, or ends.
   *
   * @returns what to call when it sends for the first time.
   */
  watch(connection: Connection, stream: Socket, socket: WebSocket): () => void {
    const entry: Unanswered = { connection, heldBytes: 0 };
    this.#watched.add(entry);
    const onData = (chunk: Uint8Array): void => this.#add(entry, chunk.length);
    // Before the socket's own listener, so that a message which ends in this chunk is taken off again.
    stream.prependListener('data', onData);
    const onMessage = (): void => {
      this.#totalBytes -= entry.heldBytes;
      entry.heldBytes = 0;
    };
    socket.on('message', onMessage);
    const end = (): void => {
      stream.off('data', onData);
      socket.off('message', onMessage);
      stream.off('close', end);
      this.#totalBytes -= entry.heldBytes;
      entry.heldBytes = 0;
      this.#watched.delete(entry);
    };
    stream.on('close', end);
    return end;
  }

  #add(entry: Unanswered, bytes: number): void {
    entry.heldBytes += bytes;
    this.#totalBytes += bytes;
    if (this.#totalBytes <= this.#limit) return;
    let largest = entry;
    for (const other of this.#watched) if (other.heldBytes > largest.heldBytes) largest = other;
    this.#totalBytes -= largest.heldBytes;
    largest.heldBytes = 0;
    this.#watched.delete(largest);
    const reason = `It sent an unfinished message before it was answered, and all such together exceed ${this.#limit} bytes (maxUnansweredBytes).`;
    largest.connection.close({ abort: true, reason });
  }
}
