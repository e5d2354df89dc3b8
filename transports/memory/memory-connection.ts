import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { Clock, Timer } from '../../src/interfaces/platform.js';
import type { CloseReason, Connection, ConnectionHandlers, ConnectionPeer } from '../../src/interfaces/transport.js';
import type { LineEnd, MemoryLine } from './memory-line.js';

/** What a memory connection is made of. */
export interface MemoryConnectionParts {
  readonly clock: Clock;
  readonly outgoing: MemoryLine;
  readonly incoming: MemoryLine;
  readonly peer: ConnectionPeer;
  readonly highWaterMark: number;
  readonly closeTimeoutMs: number;
}

/** One end of a memory pair. It ends when its own direction is flushed and the other one has ended, as a socket does. */
export class MemoryConnection implements Connection {
  readonly maxFrameBytes = Number.POSITIVE_INFINITY;
  readonly peer: ConnectionPeer;
  readonly #parts: MemoryConnectionParts;
  #handlers: ConnectionHandlers | undefined;
  #state: 'open' | 'closing' | 'ended' = 'open';
  #reason: CloseReason | undefined;
  #callerWaits = false;
  #outgoingIsFlushed = false;
  #incomingHasEnded = false;
  #closeTimer: Timer | undefined;
  #endIsReported = false;

  constructor(parts: MemoryConnectionParts) {
    this.#parts = parts;
    this.peer = parts.peer;
  }

  start(handlers: ConnectionHandlers): void {
    if (this.#handlers !== undefined) throw new WorkerRuntimeError('INVALID_STATE', 'A connection can be started once.');
    this.#handlers = handlers;
    if (this.#state === 'ended') this.#parts.clock.endOfTurn(() => this.#reportEnd());
    else this.#parts.incoming.flow();
  }

  send(chunks: readonly Uint8Array[]): boolean {
    if (this.#state !== 'open') return false;
    this.#parts.outgoing.write(chunks);
    this.#callerWaits = this.#parts.outgoing.bufferedBytes >= this.#parts.highWaterMark;
    return !this.#callerWaits;
  }

  close(options: { readonly abort?: boolean; readonly reason?: string } = {}): void {
    if (this.#state === 'ended') return;
    if (options.abort === true) {
      this.#abort(options.reason ?? 'This side aborted the connection.');
    } else if (this.#state === 'open') {
      this.#beginToClose({ code: 'CLOSED', message: options.reason ?? 'This side closed the connection.' });
      // A closing connection reads on, and drops what it reads, so that the end of the peer is seen.
      this.#parts.incoming.flow();
    }
  }

  /** From the incoming line. */
  receive(chunk: Uint8Array): void {
    if (this.#state === 'open') this.#handlers?.onData(chunk);
  }

  /** From the incoming line: nothing more will come. */
  receiveEnd(end: LineEnd): void {
    if (this.#state === 'ended') return;
    if (end === 'lost') {
      this.#parts.outgoing.end('lost');
      const { bufferedBytes, lostBytes } = this.#parts.outgoing;
      const nothingWasLost = this.#reason?.code === 'CLOSED' && bufferedBytes + lostBytes === 0;
      this.#finish(nothingWasLost ? this.#reason! : { code: 'CONNECTION_LOST', message: 'The connection was lost.' });
      return;
    }
    this.#incomingHasEnded = true;
    if (this.#state === 'open') this.#beginToClose({ code: 'PEER_CLOSED', message: 'The other side closed the connection.' });
    this.#finishIfDone();
  }

  /** From the outgoing line: bytes were delivered. */
  delivered(): void {
    if (!this.#callerWaits || this.#state !== 'open') return;
    if (this.#parts.outgoing.bufferedBytes > this.#parts.highWaterMark / 2) return;
    this.#callerWaits = false;
    this.#handlers?.onWritable();
  }

  /** From the outgoing line: everything, the end included, was delivered. */
  flushed(): void {
    this.#outgoingIsFlushed = true;
    this.#finishIfDone();
  }

  /** From the outgoing line: the other side went away before it had the end. One that is still open learns of it by the line that comes from there. */
  readerGone(): void {
    if (this.#state !== 'closing' || this.#outgoingIsFlushed) return;
    const unread = this.#reason?.code === 'CLOSED' && this.#parts.outgoing.lostBytes > 0;
    this.#finish(unread ? { code: 'CONNECTION_LOST', message: 'The other side went away before it had read everything.' } : this.#reason!);
  }

  #beginToClose(reason: CloseReason): void {
    this.#state = 'closing';
    this.#reason = reason;
    this.#parts.outgoing.end('ended');
    this.#closeTimer = this.#parts.clock.setTimer(this.#parts.closeTimeoutMs, () => this.#giveUp(reason));
  }

  #giveUp(reason: CloseReason): void {
    const lost = this.#parts.outgoing.bufferedBytes + this.#parts.outgoing.lostBytes;
    if (lost > 0) this.#parts.outgoing.end('lost', 0);
    const message = `${lost} bytes were not taken within ${this.#parts.closeTimeoutMs} ms. ${reason.message}`;
    this.#finish(lost === 0 ? reason : { code: 'ABORTED', message });
  }

  #abort(message: string): void {
    this.#state = 'ended';
    this.#reason = { code: 'ABORTED', message };
    this.#parts.outgoing.end('lost', 0);
    this.#release();
    this.#parts.clock.endOfTurn(() => this.#reportEnd());
  }

  #finishIfDone(): void {
    if (this.#state === 'closing' && this.#outgoingIsFlushed && this.#incomingHasEnded) this.#finish(this.#reason!);
  }

  #finish(reason: CloseReason): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#reason = reason;
    this.#release();
    this.#reportEnd();
  }

  #reportEnd(): void {
    if (this.#endIsReported || this.#handlers === undefined) return;
    this.#endIsReported = true;
    this.#handlers.onClose(this.#reason!);
  }

  #release(): void {
    this.#closeTimer?.cancel();
    this.#closeTimer = undefined;
    this.#parts.incoming.dispose();
  }
}
