import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { FrameDecoder } from '../frames/frame-decoder.js';
import { type FrameLimits, frameHeaderBytes, handshakeFrameBytes } from '../frames/limits.js';
import type { Clock } from '../interfaces/platform.js';
import type { CloseReason, Connection } from '../interfaces/transport.js';
import type { ValueCodec } from '../messages/codec.js';
import { decodeMessage } from '../messages/decode-message.js';
import { encodeMessage } from '../messages/encode-message.js';
import type { Message } from '../messages/message.js';
import { Acknowledgement, isCounted } from './acknowledgement.js';
import { type Departure, type Lane, Outbox } from './outbox.js';

/** Who listens to a message connection: first the handshake, then the session. */
export interface MessageReceiver {
  /** @param bytes size of the frame's body. May throw PROTOCOL_ERROR, which ends the connection. */
  onMessage(message: Message, bytes: number): void;
  /** The connection takes bulk data again. */
  onWritable(): void;
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
}

/** A connection that carries messages: bytes → frames → messages, and back. */
export class MessageConnection {
  readonly acknowledgement: Acknowledgement;
  readonly outbox: Outbox;
  receiver: MessageReceiver;
  readonly #connection: Connection;
  readonly #codec: ValueCodec;
  readonly #clock: Clock;
  readonly #decoder = new FrameDecoder(handshakeFrameBytes);
  #limits: FrameLimits;
  #established = false;
  #ended = false;
  #violation: WorkerRuntimeError | undefined;
  #lastReceivedAt: number;
  #resolveClosed: (() => void) | undefined;

  constructor(options: MessageConnectionOptions, receiver: MessageReceiver) {
    const { connection, clock } = options;
    this.receiver = receiver;
    this.#connection = connection;
    this.#codec = options.codec;
    this.#clock = clock;
    this.#limits = { ...options.limits, maxFrameBytes: Math.min(handshakeFrameBytes, connection.maxFrameBytes - frameHeaderBytes) };
    this.#lastReceivedAt = clock.now();
    this.acknowledgement = new Acknowledgement(clock, (count) => this.send({ kind: 'ack', count }, 'control'));
    this.outbox = new Outbox({
      connection,
      clock,
      maxQueuedBytes: options.maxQueuedBytes,
      onDeparture: () => this.acknowledgement.noteSent(),
      onFlush: () => {
        if (this.#established) this.acknowledgement.ride();
      },
      onIdle: () => {
        if (!this.#ended) this.receiver.onWritable();
      },
      onOverflow: (bytes) =>
        this.fail(new WorkerRuntimeError('SLOW_READER', `The other side does not read what is sent: ${bytes} bytes wait for it.`)),
    });
    connection.start({
      onData: (chunk) => this.#onData(chunk),
      onWritable: () => this.outbox.onWritable(),
      onClose: (reason) => {
        this.#end(reason);
        this.#resolveClosed?.();
      },
    });
  }

  /** Resolves when the connection is closed and what was sent is flushed or given up. */
  readonly closed: Promise<void> = new Promise((resolve) => {
    this.#resolveClosed = resolve;
  });

  get ended(): boolean {
    return this.#ended;
  }
  get peer(): string {
    return this.#connection.peer.description;
  }
  /** When any byte arrived last, an instant of the clock. */
  get lastReceivedAt(): number {
    return this.#lastReceivedAt;
  }

  /** The handshake is over: larger frames go both ways, and messages are counted. @param limits those of the welcome. */
  establish(receiver: MessageReceiver, limits: Omit<FrameLimits, 'maxMapEntries'>): void {
    this.receiver = receiver;
    this.#established = true;
    const { maxFrameBytes, maxDepth, maxElements } = limits;
    this.#decoder.maxFrameBytes = maxFrameBytes;
    // A frame is also never larger than the transport can carry.
    const carried = this.#connection.maxFrameBytes - frameHeaderBytes;
    this.#limits = { ...this.#limits, maxDepth, maxElements, maxFrameBytes: Math.min(maxFrameBytes, carried) };
  }

  /**
   * Encodes and sends.
   * @throws INVALID_VALUE, FRAME_TOO_LARGE; nothing was sent then.
   * @returns the size of the frame's body.
   */
  send(message: Message, lane: Lane, departure?: Departure): number {
    const body = this.encode(message);
    this.sendBody(body, lane, isCounted(message.kind), departure);
    return body.length;
  }

  encode(message: Message): Uint8Array {
    return encodeMessage(message, this.#codec, this.#limits);
  }

  sendBody(body: Uint8Array, lane: Lane, counted: boolean, departure?: Departure): void {
    this.outbox.send(body, lane, counted && this.#established, departure);
  }

  /** Ends with a goodbye, after all that is queued. */
  close(code: string, message: string): void {
    if (this.#ended) return;
    this.acknowledgement.stop();
    if (this.#established) this.send({ kind: 'goodbye', code, message }, 'bulk');
    this.#shut({ code: 'CLOSED', message });
  }

  /** Ends because of a fault: of the other side, which is told if it can be, or of the connection. */
  fail(error: WorkerRuntimeError): void {
    if (this.#ended || this.#violation !== undefined) return;
    this.#violation = error;
    const lastWord = this.receiver.lastWord?.(error);
    this.acknowledgement.stop();
    if (lastWord !== undefined) this.send(lastWord, 'bulk');
    this.#shut({ code: lastWord === undefined ? 'ABORTED' : 'PROTOCOL_ERROR', message: error.message });
  }

  /** Ends at once; nothing more is written. */
  abort(message: string): void {
    this.#shut({ code: 'ABORTED', message });
  }

  /** Sends what was said, then closes, without a goodbye: the last word was said. */
  finish(message: string): void {
    this.#shut({ code: 'CLOSED', message });
  }

  #shut(reason: CloseReason): void {
    const abort = reason.code === 'ABORTED';
    if (!abort) this.outbox.flushAll();
    this.outbox.close();
    this.#connection.close({ abort, reason: reason.message });
    this.#end(reason);
  }

  #onData(chunk: Uint8Array): void {
    this.#lastReceivedAt = this.#clock.now();
    try {
      this.#decoder.push(chunk, this.#onFrame);
    } catch (error) {
      this.#onFault(error);
    }
  }

  /** @returns whether to go on with the next frame of the chunk. */
  readonly #onFrame = (body: Uint8Array): boolean => {
    if (this.#ended || this.#violation !== undefined) return false;
    const message = decodeMessage(body, this.#codec, this.#limits);
    // Counted before it is acted on, so that an ack that rides on the answer covers it.
    if (this.#established && isCounted(message?.kind)) this.acknowledgement.noteReceived(body.length);
    if (message !== undefined) this.receiver.onMessage(message, body.length);
    return true;
  };

  #onFault(error: unknown): void {
    if (isWorkerRuntimeError(error, 'PROTOCOL_ERROR')) this.fail(error);
    else
      this.fail(
        new WorkerRuntimeError('INTERNAL_ERROR', `A message could not be handled: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        }),
      );
  }

  #end(reason: CloseReason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.acknowledgement.stop();
    this.outbox.close();
    this.receiver.onEnd(reason, this.#violation);
  }
}
