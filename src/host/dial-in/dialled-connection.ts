import { WorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import { FrameDecoder } from '../../frames/frame-decoder.js';
import { FrameWriter } from '../../frames/frame-writer.js';
import type { Clock } from '../../interfaces/platform.js';
import type { CloseReason, Connection, ConnectionHandlers, ConnectionPeer } from '../../interfaces/transport.js';

/** Who is told what becomes of a connection until somebody has taken it. */
export interface DialledConnectionEvents {
  /** Its first frame is complete. Called once. */
  onHello(body: Uint8Array): void;
  /** It brought something that no first frame is, or more than that. */
  onInvalid(error: WorkerRuntimeError): void;
  /** It has ended. Also called when somebody has taken it. */
  onClosed(): void;
  /** Somebody goes on with it. */
  onTaken(): void;
}

/**
 * A connection that was accepted, up to its first frame, and then the connection for whoever takes it: to them the first frame is delivered again,
 * unless it was dealt with already. Of what arrives before, one frame is kept and nothing else: whoever speaks on before the answer is invalid.
 */
export class DialledConnection implements Connection {
  readonly peer: ConnectionPeer;
  readonly maxFrameBytes: number;
  /** Resolves when it has ended. */
  readonly closed: Promise<void>;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #events: DialledConnectionEvents;
  /** Until somebody has taken it. */
  #decoder: FrameDecoder | undefined;
  #hello: Uint8Array | undefined;
  #taker: ConnectionHandlers | undefined;
  /** What arrived between `start` and the end of its turn. */
  #held: Uint8Array[] = [];
  #flows = false;
  #ended: CloseReason | undefined;
  #resolveClosed!: () => void;

  /** Starts the connection. @param maxHelloBytes largest body of the first frame. */
  constructor(connection: Connection, clock: Clock, maxHelloBytes: number, events: DialledConnectionEvents) {
    this.#connection = connection;
    this.#clock = clock;
    this.#events = events;
    this.#decoder = new FrameDecoder(maxHelloBytes);
    this.peer = connection.peer;
    this.maxFrameBytes = connection.maxFrameBytes;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    connection.start({
      onData: (chunk) => this.#onData(chunk),
      onWritable: () => {
        if (this.#flows) this.#taker?.onWritable();
      },
      onClose: (reason) => this.#onClose(reason),
    });
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }
  get taken(): boolean {
    return this.#taker !== undefined;
  }

  /** The first frame was dealt with, and is not delivered to whoever takes the connection. */
  dropHello(): void {
    this.#hello = undefined;
    this.#held = [];
  }

  start(handlers: ConnectionHandlers): void {
    if (this.#taker !== undefined) throw new WorkerRuntimeError('INVALID_STATE', 'A connection can be started once.');
    this.#taker = handlers;
    this.#decoder = undefined;
    this.#events.onTaken();
    this.#clock.endOfTurn(() => {
      // A peer that is gone says nothing any more: its hello would be answered, and its token spent, for nobody.
      if (this.#ended !== undefined) return handlers.onClose(this.#ended);
      this.#flows = true;
      const chunks = this.#hello === undefined ? this.#held : [...frameOf(this.#hello), ...this.#held];
      this.dropHello();
      for (const chunk of chunks) handlers.onData(chunk);
    });
  }

  send(chunks: readonly Uint8Array[], transfer?: readonly ArrayBuffer[]): boolean {
    return this.#connection.send(chunks, transfer);
  }

  close(options?: { readonly abort?: boolean; readonly reason?: string }): void {
    this.#connection.close(options);
  }

  /** Breaks it off, and reports it as lost. */
  breakOff(message: string): void {
    this.#connection.close({ abort: true, reason: message });
    this.#onClose({ code: 'CONNECTION_LOST', message });
  }

  #onData(chunk: Uint8Array): void {
    if (this.#ended !== undefined) return;
    if (this.#flows) return this.#taker?.onData(chunk);
    if (this.#taker !== undefined) {
      this.#held.push(chunk);
      return;
    }
    try {
      if (this.#hello !== undefined) throw new WorkerRuntimeError('PROTOCOL_ERROR', 'Nothing may follow a hello before its answer.');
      let first: Uint8Array | undefined;
      const decoder = this.#decoder;
      decoder?.push(chunk, (body) => {
        if (first !== undefined) throw new WorkerRuntimeError('PROTOCOL_ERROR', 'Nothing may follow a hello before its answer.');
        first = body;
        return true;
      });
      if (first === undefined) return;
      if (decoder !== undefined && decoder.bufferedBytes > 0)
        throw new WorkerRuntimeError('PROTOCOL_ERROR', 'Nothing may follow a hello before its answer.');
      this.#hello = first;
      this.#events.onHello(first);
    } catch (error) {
      this.#events.onInvalid(error as WorkerRuntimeError);
    }
  }

  #onClose(reason: CloseReason): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#events.onClosed();
    this.#resolveClosed();
    if (this.#flows) this.#taker?.onClose(reason);
  }
}

function frameOf(body: Uint8Array): readonly Uint8Array[] {
  const writer = new FrameWriter();
  writer.append(body);
  return writer.take();
}
