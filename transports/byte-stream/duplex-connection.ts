import type { Duplex } from 'node:stream';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { CloseReason, Connection, ConnectionHandlers, ConnectionPeer } from '../../src/interfaces/transport.js';
import { writeChunks } from './write-chunks.js';

/** Options of {@link fromDuplex}. */
export interface DuplexConnectionOptions {
  /** Who is at the other end, for logs. */
  readonly peer: ConnectionPeer;
  /** How long `close` waits for the flush and for the other side's end before it destroys the stream. Default 2,000 ms. */
  readonly closeTimeoutMs?: number;
  /** Bytes that wait in the stream from which on `send` returns false. Default 256 KiB, and never below the stream's own mark. */
  readonly highWaterMark?: number;
}

/**
 * A connection over any Node duplex of bytes: a socket, descriptor 3 of a worker, a TLS socket. The stream belongs to the connection from
 * then on. Errors of the stream end the connection with `CONNECTION_LOST` and never surface anywhere else.
 *
 * - The end of the other side (also a half-close) is `PEER_CLOSED`, after everything it sent was delivered.
 * - `close()` flushes, ends this side, reads on (and drops what it reads) until the other side has ended too, and destroys the stream when
 *   `closeTimeoutMs` is over. Destroying earlier could cost the other side bytes that it has not read yet.
 * - `onClose` comes when the stream is closed: its descriptor is free by then.
 *
 * @throws WorkerRuntimeError `INVALID_ARGUMENT` if the stream delivers strings or objects instead of bytes.
 */
export function fromDuplex(stream: Duplex, options: DuplexConnectionOptions): Connection {
  if (stream.readableObjectMode || stream.writableObjectMode || stream.readableEncoding !== null) {
    throw new WorkerRuntimeError('INVALID_ARGUMENT', 'A connection needs a duplex of bytes: no object mode and no encoding.');
  }
  return new DuplexConnection(stream, options);
}

class DuplexConnection implements Connection {
  readonly maxFrameBytes = Number.POSITIVE_INFINITY;
  readonly peer: ConnectionPeer;
  readonly #stream: Duplex;
  readonly #closeTimeoutMs: number;
  readonly #highWaterMark: number;
  #handlers: ConnectionHandlers | undefined;
  /** Bytes that came before `start`, or from within a method of this connection. At most what one read brings: the stream is paused. */
  #held: Uint8Array[] = [];
  #flowing = false;
  #inMethod = false;
  #callerWaits = false;
  #reason: CloseReason | undefined;
  #ended = false;
  #endIsReported = false;
  #closeTimer: NodeJS.Timeout | undefined;

  constructor(stream: Duplex, options: DuplexConnectionOptions) {
    this.#stream = stream;
    this.peer = options.peer;
    this.#closeTimeoutMs = options.closeTimeoutMs ?? 2_000;
    this.#highWaterMark = Math.max(options.highWaterMark ?? 262_144, stream.writableHighWaterMark);
    // Paused with a listener in place: somebody else's resume() (Node's own, when a child process exits) then loses no byte.
    stream.pause();
    stream.on('data', (chunk: Uint8Array) => this.#onData(chunk));
    stream.on('end', () => this.#onPeerEnd());
    stream.on('drain', () => this.#onDrain());
    stream.on('error', (error: Error) => this.#onError(error));
    stream.on('close', () => this.#onStreamClosed());
    if (stream.destroyed) process.nextTick(() => this.#onStreamClosed());
  }

  start(handlers: ConnectionHandlers): void {
    if (this.#handlers !== undefined) throw new WorkerRuntimeError('INVALID_STATE', 'A connection can be started once.');
    this.#handlers = handlers;
    process.nextTick(() => this.#release());
  }

  send(chunks: readonly Uint8Array[]): boolean {
    if (this.#reason !== undefined) return false;
    this.#inMethod = true;
    try {
      writeChunks(this.#stream, chunks);
    } catch (error) {
      // No stream of Node throws here; one that an embedder wrote may.
      this.#onError(error instanceof Error ? error : new Error(String(error)));
    }
    this.#inMethod = false;
    // A stream that failed at once, or one that threw, takes nothing more.
    if (this.#stream.destroyed) return false;
    // Whoever was told to wait waits until it is told to go on: the stream takes a little at a time without saying so.
    this.#callerWaits ||= this.#stream.writableLength >= this.#highWaterMark;
    return !this.#callerWaits;
  }

  close(options: { readonly abort?: boolean; readonly reason?: string } = {}): void {
    if (this.#ended) return;
    this.#inMethod = true;
    if (options.abort === true) {
      this.#destroy({ code: 'ABORTED', message: options.reason ?? 'This side aborted the connection.' });
    } else if (this.#reason === undefined) {
      this.#beginToClose({ code: 'CLOSED', message: options.reason ?? 'This side closed the connection.' });
    }
    this.#inMethod = false;
  }

  #beginToClose(reason: CloseReason): void {
    this.#reason = reason;
    this.#closeTimer = setTimeout(() => this.#giveUp(reason), this.#closeTimeoutMs);
    this.#closeTimer.unref();
    this.#stream.end();
    this.#stream.resume();
  }

  #giveUp(reason: CloseReason): void {
    const lost = this.#stream.writableLength;
    const late = `${lost} bytes were not taken within ${this.#closeTimeoutMs} ms. ${reason.message}`;
    this.#destroy(lost === 0 ? reason : { code: 'ABORTED', message: late });
  }

  #destroy(reason: CloseReason): void {
    this.#reason = reason;
    clearTimeout(this.#closeTimer);
    this.#stream.destroy();
    // For a stream that was made without a close event.
    this.#closeTimer = setTimeout(() => this.#onStreamClosed(), this.#closeTimeoutMs);
    this.#closeTimer.unref();
  }

  #onData(chunk: Uint8Array): void {
    if (this.#reason?.code === 'CLOSED' || this.#reason?.code === 'ABORTED') return;
    if (this.#flowing && !this.#inMethod && this.#held.length === 0) {
      this.#handlers?.onData(chunk);
      return;
    }
    this.#held.push(chunk);
    this.#stream.pause();
    if (this.#flowing) process.nextTick(() => this.#release());
  }

  /** Delivers what was held, then lets the stream flow. */
  #release(): void {
    this.#flowing = true;
    this.#deliverHeld();
    if (this.#ended) this.#reportEnd();
    else this.#stream.resume();
  }

  #deliverHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const chunk of held) {
      if (this.#reason?.code !== 'CLOSED' && this.#reason?.code !== 'ABORTED') this.#handlers?.onData(chunk);
    }
  }

  #onDrain(): void {
    if (!this.#callerWaits || this.#reason !== undefined) return;
    this.#callerWaits = false;
    this.#handlers?.onWritable();
  }

  #onPeerEnd(): void {
    if (this.#reason === undefined)
      this.#beginToClose({ code: 'PEER_CLOSED', message: `The other side (${this.peer.description}) closed the connection.` });
  }

  #onError(error: Error): void {
    // Once everything that this side accepted is written, it no longer matters how the rest breaks.
    const lost = { code: 'CONNECTION_LOST', message: `The connection to ${this.peer.description} was lost: ${error.message}` } as const;
    if (this.#reason === undefined || (this.#reason.code === 'CLOSED' && !this.#stream.writableFinished)) this.#reason = lost;
    if (!this.#stream.destroyed) this.#destroy(this.#reason);
  }

  #onStreamClosed(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#closeTimer);
    this.#reason ??= { code: 'CONNECTION_LOST', message: `The connection to ${this.peer.description} was lost.` };
    if (this.#flowing) this.#reportEnd();
  }

  #reportEnd(): void {
    if (this.#endIsReported) return;
    this.#endIsReported = true;
    this.#deliverHeld();
    this.#handlers?.onClose(this.#reason!);
  }
}
