import type { Socket } from 'node:net';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { CloseReason, Connection, ConnectionHandlers, ConnectionPeer } from '../../src/interfaces/transport.js';
import { coalesceChunks } from '../byte-stream/coalesce-chunks.js';
import { endsWithinFrame } from './ends-within-frame.js';
import { SilenceWatch } from './silence-watch.js';
import { splitMessages } from './split-messages.js';
import type { AnswerWatch } from './unanswered-bytes.js';
import type { WebSocketLike } from './websocket-like.js';

/** Options of {@link fromWebSocket}. */
export interface WebSocketConnectionOptions {
  /** Who is at the other end, for logs. */
  readonly peer: ConnectionPeer;
  /** The stream below the WebSocket. Where it is known, a batch leaves in one write, and every byte counts as a sign of life. */
  readonly stream?: Socket;
  /**
   * The largest message that the other side takes (its `maxPayload`). Frames may have 256 KiB less than that, or three quarters of it where it is below
   * 1 MiB: a message that was begun takes in one more. Default 16 MiB.
   */
  readonly maxMessageBytes?: number;
  /** How long `close` waits for the flush and for the other side's goodbye before it ends the socket. Default 2,000 ms. */
  readonly closeTimeoutMs?: number;
  /** Bytes that wait to be written from which on `send` returns false. Default 256 KiB. */
  readonly highWaterMark?: number;
  /** After this long without a byte the other side is pinged, and after three times this long it is lost. `Infinity`: never. Default 15,000 ms. */
  readonly pingIntervalMs?: number;
  /** Whether messages are compressed, where both sides have agreed to that. Default false. */
  readonly compress?: boolean;
}

/** A message ends with the first frame that brings it to this size, or to a quarter of the largest that is allowed. */
const largestMessageTargetBytes = 262_144;
/** What a close frame has room for. */
const maxCloseReasonBytes = 123;
const open = 1;

const closeCodes = { done: 1000, cutFrame: 1002, textMessage: 1003 } as const;

/**
 * A connection over an open WebSocket of the package `ws`, which belongs to the connection from then on. Call it in the turn in which the socket opened:
 * a message that nobody listened for is lost. Set `maxPayload` of the socket; this cannot be done later.
 *
 * - A batch is one binary message (more only where it is large), its big pieces uncopied as fragments. Messages that arrive are passed on as fragments too.
 * - A text message, one that is not whole frames, and whatever breaks the rules of WebSocket, ends the connection with `PROTOCOL_ERROR`; a close frame of the other side is
 *   `PEER_CLOSED`, an end without one `CONNECTION_LOST`.
 */
export function fromWebSocket(socket: WebSocketLike, options: WebSocketConnectionOptions): Connection {
  return new WebSocketConnection(socket, options, undefined);
}

/** As {@link fromWebSocket}. @param watch told what the connection does, never before `answeringConnection` has returned. */
export function answeringConnection(socket: WebSocketLike, options: WebSocketConnectionOptions, watch: AnswerWatch): Connection {
  return new WebSocketConnection(socket, options, watch);
}

class WebSocketConnection implements Connection {
  readonly maxFrameBytes: number;
  readonly peer: ConnectionPeer;
  readonly #socket: WebSocketLike;
  readonly #stream: Socket | undefined;
  readonly #messageTargetBytes: number;
  readonly #closeTimeoutMs: number;
  readonly #highWaterMark: number;
  readonly #silence: SilenceWatch;
  readonly #compress: boolean;
  readonly #watch: AnswerWatch | undefined;
  #hasSent = false;
  #handlers: ConnectionHandlers | undefined;
  /** What came before `start`: at most what one read brings, since the socket is paused. */
  #held: Uint8Array[] = [];
  #flowing = false;
  #callerWaits = false;
  /** Messages that were accepted and are not written yet. */
  #unwritten = 0;
  #reason: CloseReason | undefined;
  #ended = false;
  #endIsReported = false;
  #closeTimer: NodeJS.Timeout | undefined;

  constructor(socket: WebSocketLike, options: WebSocketConnectionOptions, watch: AnswerWatch | undefined) {
    this.#watch = watch;
    this.#socket = socket;
    this.#stream = options.stream;
    this.peer = options.peer;
    const { maxMessageBytes = 16_777_216 } = options;
    this.#messageTargetBytes = Math.min(largestMessageTargetBytes, Math.floor(maxMessageBytes / 4));
    this.maxFrameBytes = maxMessageBytes - this.#messageTargetBytes;
    this.#closeTimeoutMs = options.closeTimeoutMs ?? 2_000;
    this.#highWaterMark = options.highWaterMark ?? 262_144;
    this.#silence = new SilenceWatch({
      intervalMs: options.pingIntervalMs ?? 15_000,
      bytesRead: () => this.#stream?.bytesRead ?? 0,
      ping: () => {
        if (this.#reason === undefined && socket.readyState === open) socket.ping();
      },
      onSilence: (silentMs) => this.#lose(`${this.peer.description} answered no ping and sent nothing for ${silentMs} ms.`),
    });
    this.#compress = options.compress ?? false;
    socket.binaryType = 'fragments';
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on('ping', () => this.#silence.noteSign());
    socket.on('pong', () => this.#silence.noteSign());
    socket.on('error', (error) => this.#onViolation(`The other side (${this.peer.description}) broke the rules of WebSocket: ${error.message}.`));
    socket.on('close', (code, reason) => this.#onSocketClosed(code, reason));
    socket.pause();
    if (socket.readyState > open) process.nextTick(() => this.#onSocketClosed(1006, new Uint8Array(0)));
  }

  start(handlers: ConnectionHandlers): void {
    if (this.#handlers !== undefined) throw new WorkerRuntimeError('INVALID_STATE', 'A connection can be started once.');
    this.#handlers = handlers;
    process.nextTick(() => this.#release());
  }

  send(chunks: readonly Uint8Array[]): boolean {
    if (this.#reason !== undefined || this.#socket.readyState !== open) return false;
    if (!this.#hasSent) this.#watch?.noteAnswer();
    this.#hasSent = true;
    this.#stream?.cork();
    try {
      for (const message of splitMessages(chunks, this.#messageTargetBytes)) this.#sendMessage(coalesceChunks(message));
    } catch (error) {
      this.#lose(`The connection to ${this.peer.description} was lost: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#stream?.uncork();
    }
    if (this.#reason !== undefined) return false;
    // Whoever was told to wait waits until it is told to go on.
    this.#callerWaits ||= this.#socket.bufferedAmount >= this.#highWaterMark;
    return !this.#callerWaits;
  }

  close(options: { readonly abort?: boolean; readonly reason?: string } = {}): void {
    if (this.#ended) return;
    if (options.abort === true) this.#terminate({ code: 'ABORTED', message: options.reason ?? 'This side aborted the connection.' });
    else if (this.#reason === undefined) {
      const message = options.reason ?? 'This side closed the connection.';
      this.#beginToClose({ code: 'CLOSED', message }, closeCodes.done, message);
    }
  }

  #sendMessage(pieces: readonly Uint8Array[]): void {
    const last = pieces.length - 1;
    this.#unwritten += 1;
    for (let index = 0; index <= last; index += 1) {
      const fin = index === last;
      this.#socket.send(pieces[index]!, { binary: true, fin, compress: this.#compress }, fin ? this.#onWritten : ignore);
    }
  }

  /** Node reports the writes of a stream that was destroyed as done. Where the stream is not known, its end is known by the next turn. */
  readonly #onWritten = (error?: Error | null): void => {
    // What could not be written stays counted, and the end of the socket follows.
    if (error !== undefined && error !== null) return;
    if (this.#stream === undefined) setImmediate(() => this.#noteWritten());
    else if (!this.#stream.destroyed) this.#noteWritten();
  };

  #noteWritten(): void {
    if (this.#ended) return;
    this.#unwritten -= 1;
    if (!this.#callerWaits || this.#reason !== undefined || this.#socket.bufferedAmount > this.#highWaterMark / 2) return;
    this.#callerWaits = false;
    this.#handlers?.onWritable();
  }

  #beginToClose(reason: CloseReason, code: number, text: string): void {
    this.#reason = reason;
    this.#closeTimer = setTimeout(() => this.#giveUp(reason), this.#closeTimeoutMs);
    this.#closeTimer.unref();
    this.#socket.close(code, cutToBytes(text, maxCloseReasonBytes));
    // Read on, and drop what comes, so that the other side's goodbye is seen.
    this.#socket.resume();
    this.#watch?.noteClosing();
  }

  #giveUp(reason: CloseReason): void {
    const lost = this.#unwritten > 0 && reason.code === 'CLOSED';
    const late = `${this.#socket.bufferedAmount} bytes were not taken within ${this.#closeTimeoutMs} ms. ${reason.message}`;
    this.#terminate(lost ? { code: 'ABORTED', message: late } : reason);
  }

  #lose(message: string): void {
    if (this.#reason === undefined) this.#terminate({ code: 'CONNECTION_LOST', message });
  }

  #terminate(reason: CloseReason): void {
    this.#reason = reason;
    clearTimeout(this.#closeTimer);
    // For a socket that never tells its end.
    this.#closeTimer = setTimeout(() => this.#onSocketClosed(1006, new Uint8Array(0)), this.#closeTimeoutMs);
    this.#closeTimer.unref();
    this.#socket.terminate();
  }

  #onMessage(data: unknown, isBinary: boolean): void {
    this.#silence.noteSign();
    if (this.#reason !== undefined) return;
    if (!isBinary) {
      const message = `The other side (${this.peer.description}) sent a text message; this protocol consists of binary messages.`;
      this.#beginToClose({ code: 'PROTOCOL_ERROR', message }, closeCodes.textMessage, 'Only binary messages are understood here.');
      return;
    }
    const pieces: readonly Uint8Array[] = Array.isArray(data) ? (data as Uint8Array[]) : [data as Uint8Array];
    if (endsWithinFrame(pieces)) {
      const message = `The other side (${this.peer.description}) sent a message that is empty or ends within a frame; every message must hold one or more whole frames.`;
      this.#beginToClose({ code: 'PROTOCOL_ERROR', message }, closeCodes.cutFrame, 'Every message must hold one or more whole frames.');
      return;
    }
    if (this.#flowing) this.#deliver(pieces);
    else this.#held.push(...pieces);
  }

  #onViolation(message: string): void {
    if (this.#reason !== undefined) return;
    // The socket has said goodbye with the code that belongs to it, and reads nothing more.
    this.#reason = { code: 'PROTOCOL_ERROR', message };
    const reason = this.#reason;
    this.#closeTimer = setTimeout(() => this.#giveUp(reason), this.#closeTimeoutMs);
    this.#closeTimer.unref();
  }

  /** Delivers what was held, then lets the socket flow. */
  #release(): void {
    this.#flowing = true;
    const held = this.#held;
    this.#held = [];
    this.#deliver(held);
    if (this.#ended) return this.#reportEnd();
    this.#socket.resume();
    this.#silence.start();
  }

  #deliver(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      if (this.#reason?.code === 'CLOSED' || this.#reason?.code === 'ABORTED') return;
      if (piece.length > 0) this.#handlers?.onData(piece);
    }
  }

  #onSocketClosed(code: number, said: Uint8Array): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#closeTimer);
    this.#silence.stop();
    this.#reason = this.#endOf(code, said);
    if (this.#flowing) this.#reportEnd();
  }

  #endOf(code: number, said: Uint8Array): CloseReason {
    const { description } = this.peer;
    const lost = { code: 'CONNECTION_LOST', message: `The connection to ${description} was lost.` } as const;
    // This side closed, and the other one was gone before it had everything.
    if (this.#reason?.code === 'CLOSED' && this.#unwritten > 0) return lost;
    if (this.#reason !== undefined) return this.#reason;
    if (code === 1006) return lost;
    const words = said.length === 0 ? '' : `: ${JSON.stringify(Buffer.from(said).toString('utf8'))}`;
    const why = code === 1000 || code === 1005 ? words : ` with the code ${code}${words}`;
    return { code: 'PEER_CLOSED', message: `The other side (${description}) closed the connection${why}.` };
  }

  #reportEnd(): void {
    if (this.#endIsReported) return;
    this.#endIsReported = true;
    this.#handlers?.onClose(this.#reason!);
  }
}

function ignore(): void {}

/** The longest beginning of `text` that has at most `limit` bytes and splits no character. */
function cutToBytes(text: string, limit: number): string {
  if (text.length * 3 <= limit) return text;
  const bytes = new TextEncoder().encodeInto(text, new Uint8Array(limit));
  return text.slice(0, bytes.read);
}
