import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { FrameDecoder } from '../frames/frame-decoder.js';
import type { Insert } from '../frames/insert.js';
import { type FrameLimits, frameHeaderBytes, handshakeFrameBytes } from '../frames/limits.js';
import type { Clock, Timer } from '../interfaces/platform.js';
import type { CloseReason, Connection } from '../interfaces/transport.js';
import type { ValueCodec } from '../messages/codec.js';
import { decodeMessagePieces } from '../messages/decode-message.js';
import { encodeMessage, encodeMessageInto } from '../messages/encode-message.js';
import type { Message } from '../messages/message.js';
import { Acknowledgement, isCounted } from './acknowledgement.js';
import type { MessageConnectionOptions, MessageReceiver, ResumeTerms } from './message-connection-options.js';
import { type Departure, type Lane, Outbox } from './outbox.js';

export type { MessageConnectionOptions, MessageReceiver, ResumeTerms } from './message-connection-options.js';

const defaultStallTimeoutMs = 30_000;

/** A connection that carries messages: bytes → frames → messages, and back. */
export class MessageConnection {
  readonly acknowledgement: Acknowledgement;
  readonly outbox: Outbox;
  receiver: MessageReceiver;
  #connection: Connection;
  readonly #codec: ValueCodec;
  readonly #clock: Clock;
  #decoder = new FrameDecoder(handshakeFrameBytes);
  #limits: FrameLimits;
  #established = false;
  #maxFrameBytes = handshakeFrameBytes;
  #ended = false;
  #violation: WorkerRuntimeError | undefined;
  #lastReceivedAt: number;
  #resolveClosed: (() => void) | undefined;
  #resumeTerms: ResumeTerms | undefined;
  /** While it waits for another connection: the end of the wait. */
  #window: Timer | undefined;

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
      stallTimeoutMs: options.stallTimeoutMs ?? defaultStallTimeoutMs,
      onDeparture: () => this.acknowledgement.noteSent(),
      onFlush: () => {
        if (this.#established) this.acknowledgement.ride();
      },
      onIdle: () => {
        if (!this.#ended) this.receiver.onWritable();
      },
      onOverflow: (bytes) =>
        this.fail(new WorkerRuntimeError('SLOW_READER', `The other side does not read what is sent: ${bytes} bytes wait for it.`)),
      onStall: (stallTimeoutMs) =>
        this.fail(
          new WorkerRuntimeError(
            'SLOW_READER',
            `The other side does not read what is sent: it took nothing for ${stallTimeoutMs} ms (stallTimeoutMs).`,
          ),
        ),
    });
    this.#listen(connection);
  }

  #listen(connection: Connection): void {
    connection.start({
      onData: (chunk) => {
        if (connection === this.#connection) this.#onData(chunk);
      },
      onWritable: () => {
        if (connection === this.#connection) this.outbox.onWritable();
      },
      onClose: (reason) => {
        // One whose place another has taken has nothing to say any more.
        if (connection !== this.#connection) return;
        if (this.#canWait(reason)) return this.#suspend(reason);
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

  /**
   * The handshake is over: larger frames go both ways, and messages are counted.
   * @param limits those of the welcome. @param resume those of the welcome, where the feature is in force.
   */
  establish(receiver: MessageReceiver, limits: Omit<FrameLimits, 'maxMapEntries'>, resume?: ResumeTerms): void {
    this.receiver = receiver;
    this.#established = true;
    this.#resumeTerms = resume;
    if (resume !== undefined) this.outbox.keep(resume.maxBytes);
    const { maxFrameBytes, maxDepth, maxElements } = limits;
    this.#maxFrameBytes = maxFrameBytes;
    this.#limits = { ...this.#limits, maxDepth, maxElements };
    this.#allowFrames();
  }

  #allowFrames(): void {
    this.#decoder.maxFrameBytes = this.#maxFrameBytes;
    // A frame is also never larger than the transport can carry.
    this.#limits = { ...this.#limits, maxFrameBytes: Math.min(this.#maxFrameBytes, this.#connection.maxFrameBytes - frameHeaderBytes) };
  }

  /** Whether the connection was lost, and another may come. */
  get suspended(): boolean {
    return this.#window !== undefined;
  }

  /** The other side has received so many messages. @throws PROTOCOL_ERROR if that is impossible. */
  confirm(count: number): void {
    this.acknowledgement.noteAck(count);
    this.outbox.confirm(count);
  }

  /** Whether the session can go on over another connection, for a peer that has received so many messages. */
  canResume(received: number): boolean {
    if (this.#ended || this.#violation !== undefined || this.#resumeTerms === undefined) return false;
    return this.acknowledgement.isPossible(received) && this.outbox.canReplayFrom(received);
  }

  /**
   * Goes on over another connection, which takes the place of the present one even if that is still open. It is started here.
   * @param received what the other side has received. @throws INVALID_STATE unless {@link MessageConnection.canResume}.
   */
  resume(connection: Connection, received: number): void {
    if (!this.canResume(received)) throw new WorkerRuntimeError('INVALID_STATE', 'The session cannot go on over another connection.');
    const former = this.#connection;
    this.#suspend({ code: 'CONNECTION_LOST', message: 'Another connection took the place of this one.' });
    this.#window?.cancel();
    this.#window = undefined;
    this.#connection = connection;
    former.close({ abort: true, reason: 'Another connection took the place of this one.' });
    // What the lost one had brought of a frame is not continued.
    this.#decoder = new FrameDecoder(this.#maxFrameBytes);
    this.#allowFrames();
    this.#lastReceivedAt = this.#clock.now();
    this.confirm(received);
    this.acknowledgement.resume();
    this.#listen(connection);
    this.outbox.resume(connection);
    this.receiver.onResume?.();
  }

  /** No other connection will come: a session that waits for one ends, and a connection that is lost ends it. */
  forgoResume(): void {
    this.#resumeTerms = undefined;
    if (this.#window === undefined) return;
    this.#end({ code: 'CONNECTION_LOST', message: 'The connection was lost, and this side takes no other any more.' });
    this.#resolveClosed?.();
  }

  #canWait(reason: CloseReason): boolean {
    return (
      !this.#ended &&
      this.#violation === undefined &&
      this.#resumeTerms !== undefined &&
      (reason.code === 'CONNECTION_LOST' || reason.code === 'PEER_CLOSED') &&
      this.canResume(this.acknowledgement.confirmedByPeer)
    );
  }

  #suspend(reason: CloseReason): void {
    if (this.#window !== undefined) return;
    const windowMs = this.#resumeTerms?.windowMs ?? 0;
    this.#window = this.#clock.setTimer(windowMs, () => {
      this.#end({ code: 'CONNECTION_LOST', message: `${reason.message} No other took its place within ${windowMs} ms.` });
      this.#resolveClosed?.();
    });
    this.acknowledgement.pause();
    this.outbox.suspend();
    this.receiver.onSuspend?.(reason);
  }

  /**
   * Encodes and sends.
   * @throws INVALID_VALUE, FRAME_TOO_LARGE; nothing was sent then.
   * @returns the size of the frame's body.
   */
  send(message: Message, lane: Lane, departure?: Departure): number {
    const staged = this.stage(message, lane);
    this.dispatch(staged, lane, isCounted(message.kind), departure);
    return typeof staged === 'number' ? staged : staged.length;
  }

  /**
   * Encodes a message: straight into the batch, if a frame of this lane can go there now. {@link dispatch} must follow, before anything else
   * that has to do with this message is said.
   * @returns the size of its body if it is in the batch, else its body.
   * @throws INVALID_VALUE, FRAME_TOO_LARGE; nothing was sent then.
   */
  stage(message: Message, lane: Lane): number | Uint8Array {
    if (!this.outbox.takes(lane)) return this.encode(message);
    const size = encodeMessageInto(this.outbox.frames, message, this.#codec, this.#limits, this.outbox.isHandedOver);
    this.outbox.stage(this.#established && isCounted(message.kind));
    return size;
  }

  /** Sends what was staged. */
  dispatch(staged: number | Uint8Array, lane: Lane, counted: boolean, departure?: Departure): void {
    if (typeof staged === 'number') this.outbox.depart(departure);
    else this.sendBody(staged, lane, counted, departure);
  }

  /** These buffers belong to the connection from now on: large data in them is sent without a copy. @throws INVALID_ARGUMENT */
  handOver(buffers: readonly ArrayBuffer[]): void {
    this.outbox.handOver(buffers);
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
    const gone = this.suspended;
    if (!abort) this.outbox.flushAll();
    this.outbox.close();
    this.#connection.close({ abort, reason: reason.message });
    this.#end(reason);
    if (gone) this.#resolveClosed?.();
  }

  #onData(chunk: Uint8Array): void {
    this.#lastReceivedAt = this.#clock.now();
    try {
      this.#decoder.pushPieces(chunk, this.#onFrame);
    } catch (error) {
      this.#onFault(error);
    }
  }

  /** @returns whether to go on with the next frame of the chunk. */
  readonly #onFrame = (bytes: Uint8Array, start: number, end: number, bodyBytes: number, inserts: readonly Insert[] | undefined): boolean => {
    if (this.#ended || this.#violation !== undefined) return false;
    const message = decodeMessagePieces(bytes, start, end, inserts, this.#codec, this.#limits);
    // Counted before it is acted on, so that an ack that rides on the answer covers it.
    if (this.#established && isCounted(message?.kind)) this.acknowledgement.noteReceived(bodyBytes);
    if (message !== undefined) this.receiver.onMessage(message, bodyBytes);
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
    this.#window?.cancel();
    this.#window = undefined;
    this.acknowledgement.stop();
    this.outbox.close();
    this.receiver.onEnd(reason, this.#violation);
  }
}
