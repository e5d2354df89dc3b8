import type { MessagePort } from 'node:worker_threads';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { CloseReason, Connection, ConnectionHandlers, ConnectionPeer } from '../../src/interfaces/transport.js';
import { makePost, readPost } from './port-post.js';

/** A receiver confirms what it has taken at the latest when it comes to this many bytes. */
const confirmBytes = 65_536;
/** A window below this could fill without ever being confirmed. */
const smallestWindowBytes = 4 * confirmBytes;

/** Options of {@link fromMessagePort}. */
export interface PortConnectionOptions {
  /** Who is at the other end, for logs. */
  readonly peer: ConnectionPeer;
  /** How long `close` waits until the other side has taken everything and has ended too. Default 2,000 ms. */
  readonly closeTimeoutMs?: number;
  /** Bytes under way to the other thread and not confirmed, from which on `send` returns false. Default 1 MiB, at least 256 KiB. */
  readonly windowBytes?: number;
}

/** A connection over a MessagePort. */
export interface PortConnection extends Connection {
  /**
   * As {@link Connection.send}.
   * @param transfer - buffers that the caller gives away: a chunk that is the whole of one, and at least 8 KiB, moves to the other thread uncopied, and is
   * detached here. All other chunks are copied, once, and stay as they are.
   */
  send(chunks: readonly Uint8Array[], transfer?: readonly ArrayBuffer[]): boolean;
}

/**
 * A connection over one port of a `MessageChannel`, to another thread of this process. The port belongs to it from then on.
 *
 * What is posted is an array of byte pieces whose concatenation is whole frames, one post for each `send`; a number, which confirms that many bytes; or null, the
 * end of the poster's direction (docs/protocol.md, section 1). A MessagePort has no backpressure of its own: at most `windowBytes` and one
 * `send` are under way, and the rest waits here.
 *
 * - Whatever else the other side posts ends the connection with `CONNECTION_LOST` and the reason: also memory that is shared, too many pieces, empty
 *   ones, and a confirmation of more than was sent.
 * - The end of the other thread, in whatever way, closes the port: `CONNECTION_LOST`, unless it had said its end before.
 * - A thread is no boundary: this protects the session from mistakes, not the process from the thread.
 *
 * @throws WorkerRuntimeError `INVALID_ARGUMENT` if an option is not acceptable.
 */
export function fromMessagePort(port: MessagePort, options: PortConnectionOptions): PortConnection {
  for (const name of ['closeTimeoutMs', 'windowBytes'] as const) {
    const value = options[name];
    if (value !== undefined && !(value >= 1)) throw new WorkerRuntimeError('INVALID_ARGUMENT', `${name} must be a number of at least 1.`);
  }
  return new MessagePortConnection(port, options);
}

interface Waiting {
  readonly chunks: readonly Uint8Array[];
  readonly transfer: readonly ArrayBuffer[] | undefined;
}

class MessagePortConnection implements PortConnection {
  readonly maxFrameBytes = Number.POSITIVE_INFINITY;
  readonly peer: ConnectionPeer;
  readonly #port: MessagePort;
  readonly #closeTimeoutMs: number;
  readonly #windowBytes: number;
  #handlers: ConnectionHandlers | undefined;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Posted and not confirmed. */
  #unconfirmedBytes = 0;
  /** Taken and not confirmed yet. */
  #takenBytes = 0;
  #callerWaits = false;
  #endIsPosted = false;
  #peerHasEnded = false;
  #reason: CloseReason | undefined;
  #reading = false;
  /** This side has closed the port: the reason stands. */
  #isShut = false;
  #portIsClosed = false;
  #endIsReported = false;
  #closeTimer: NodeJS.Timeout | undefined;

  constructor(port: MessagePort, options: PortConnectionOptions) {
    this.#port = port;
    this.peer = options.peer;
    this.#closeTimeoutMs = options.closeTimeoutMs ?? 2_000;
    this.#windowBytes = Math.max(options.windowBytes ?? 1_048_576, smallestWindowBytes);
    port.on('close', () => this.#onPortClosed());
    port.on('messageerror', (error: Error) => this.#break(`posted what cannot be read (${error.message})`));
  }

  start(handlers: ConnectionHandlers): void {
    if (this.#handlers !== undefined) throw new WorkerRuntimeError('INVALID_STATE', 'A connection can be started once.');
    this.#handlers = handlers;
    if (this.#portIsClosed) process.nextTick(() => this.#reportEnd());
    else this.#read();
  }

  send(chunks: readonly Uint8Array[], transfer?: readonly ArrayBuffer[]): boolean {
    if (this.#reason !== undefined) return false;
    if (this.#unconfirmedBytes >= this.#windowBytes || this.#waiting.length > 0) {
      this.#waiting.push({ chunks, transfer });
      for (const chunk of chunks) this.#waitingBytes += chunk.length;
    } else this.#post({ chunks, transfer });
    this.#callerWaits = this.#unconfirmedBytes + this.#waitingBytes >= this.#windowBytes;
    return !this.#callerWaits;
  }

  close(options: { readonly abort?: boolean; readonly reason?: string } = {}): void {
    if (this.#isShut || this.#portIsClosed) return;
    if (options.abort === true) this.#shut({ code: 'ABORTED', message: options.reason ?? 'This side aborted the connection.' });
    else if (this.#reason === undefined) {
      this.#beginToClose({ code: 'CLOSED', message: options.reason ?? 'This side closed the connection.' });
      // A closing connection reads on, and drops what it reads, so that confirmations and the end of the peer are seen.
      this.#read();
      this.#endIfFlushed();
    }
  }

  /** Reads from now on. A port begins to deliver, in a later turn, when it has its first listener. */
  #read(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#port.on('message', (post: unknown) => this.#onPost(post));
  }

  #onPost(post: unknown): void {
    if (this.#isShut) return;
    if (post === null) this.#onPeerEnd();
    else if (typeof post === 'number') this.#onConfirmation(post);
    else {
      const pieces = readPost(post);
      if (typeof pieces === 'string') this.#break(`broke the rules of the port: ${pieces}`);
      else if (this.#peerHasEnded) this.#break('went on after its end');
      else this.#take(pieces);
    }
  }

  #take(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      this.#takenBytes += piece.length;
      if (this.#reason === undefined) this.#handlers?.onData(piece);
    }
    if (this.#takenBytes < confirmBytes || this.#isShut) return;
    this.#port.postMessage(this.#takenBytes);
    this.#takenBytes = 0;
  }

  #onConfirmation(bytes: number): void {
    if (!Number.isSafeInteger(bytes) || bytes <= 0 || bytes > this.#unconfirmedBytes) {
      return this.#break(`confirmed ${bytes} bytes of the ${this.#unconfirmedBytes} that are under way to it`);
    }
    this.#unconfirmedBytes -= bytes;
    let posted = 0;
    while (this.#unconfirmedBytes < this.#windowBytes && posted < this.#waiting.length) {
      const bytes = this.#post(this.#waiting[posted++]!);
      this.#waitingBytes -= bytes;
    }
    this.#waiting.splice(0, posted);
    if (this.#reason !== undefined) return this.#endIfFlushed();
    if (!this.#callerWaits || this.#waiting.length > 0 || this.#unconfirmedBytes > this.#windowBytes / 2) return;
    this.#callerWaits = false;
    this.#handlers?.onWritable();
  }

  #onPeerEnd(): void {
    if (this.#peerHasEnded) return this.#break('ended twice');
    this.#peerHasEnded = true;
    if (this.#reason === undefined)
      this.#beginToClose({ code: 'PEER_CLOSED', message: `The other side (${this.peer.description}) closed the connection.` });
    this.#endIfFlushed();
  }

  #beginToClose(reason: CloseReason): void {
    this.#reason = reason;
    this.#closeTimer = setTimeout(() => this.#giveUp(reason), this.#closeTimeoutMs);
    this.#closeTimer.unref();
  }

  /** Says the end once all is posted; the port is closed when the other side has said its own. */
  #endIfFlushed(): void {
    if (this.#waiting.length > 0) return;
    if (!this.#endIsPosted) {
      this.#endIsPosted = true;
      this.#port.postMessage(null);
    }
    if (this.#peerHasEnded) this.#shut(this.#reason!);
  }

  #giveUp(reason: CloseReason): void {
    const late = `${this.#waitingBytes} bytes were not taken within ${this.#closeTimeoutMs} ms. ${reason.message}`;
    this.#shut(this.#waiting.length === 0 ? reason : { code: 'ABORTED', message: late });
  }

  /** @returns how many bytes were posted. */
  #post({ chunks, transfer }: Waiting): number {
    let post = makePost(chunks, transfer);
    if (post.bytes === 0) return 0;
    try {
      this.#port.postMessage(post.pieces, post.transfer);
    } catch {
      // One of the buffers that were handed over may not move, as those of Node's pool; nothing has left, and copies always do.
      post = makePost(chunks);
      this.#port.postMessage(post.pieces, post.transfer);
    }
    this.#unconfirmedBytes += post.bytes;
    return post.bytes;
  }

  #break(what: string): void {
    if (this.#isShut || this.#portIsClosed) return;
    this.#shut({ code: 'CONNECTION_LOST', message: `The connection was ended: the other side (${this.peer.description}) ${what}.` });
  }

  #shut(reason: CloseReason): void {
    this.#reason = reason;
    this.#isShut = true;
    this.#release();
    this.#port.close();
  }

  /** The port is closed: by this side, or because the other one closed it or its thread is gone. What it had posted was delivered before. */
  #onPortClosed(): void {
    if (this.#portIsClosed) return;
    this.#portIsClosed = true;
    if (!this.#isShut) {
      // Without an end of the other side nobody knows what it has taken of that which it had not confirmed.
      const allIsWell =
        this.#reason?.code === 'PEER_CLOSED' || (this.#reason?.code === 'CLOSED' && this.#unconfirmedBytes + this.#waitingBytes === 0);
      if (!allIsWell) this.#reason = { code: 'CONNECTION_LOST', message: `The connection to ${this.peer.description} was lost.` };
    }
    this.#release();
    if (this.#handlers !== undefined) this.#reportEnd();
  }

  #reportEnd(): void {
    if (this.#endIsReported) return;
    this.#endIsReported = true;
    this.#handlers?.onClose(this.#reason!);
  }

  #release(): void {
    clearTimeout(this.#closeTimer);
    this.#waiting = [];
  }
}
