import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { FrameWriter } from '../frames/frame-writer.js';
import type { Connection } from '../interfaces/transport.js';
import { HandedOver } from './handed-over.js';
import type { Departure, Lane, OutboxOptions, QueuedFrame } from './outbox-options.js';
import { ReplayBuffer } from './replay-buffer.js';
import { StallWatch } from './stall-watch.js';

/** A batch of small frames leaves when it has this size, even before the turn ends: the peer begins while we go on. */
const earlyFlushBytes = 2_048;
/** In a burst each further batch of a turn may be twice as large, up to this: the peer is at work by then, and a system call costs as much as several frames. */
const largestEarlyFlushBytes = 16_384;
/** How much is handed over in one go when a held-up connection takes more. */
const catchUpBytes = 64 * 1024;
/** What a frame in the queue costs beside its body: without it, a flood of pings by a peer that reads nothing would fill the memory with pongs of 3 bytes. */
const queuedFrameBytes = 256;

export type { Departure, Lane, OutboxOptions, QueuedFrame } from './outbox-options.js';

/**
 * The way out: gathers the frames of one turn into a batch, and holds them back in two lanes while the connection takes
 * no more.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #writer = new FrameWriter();
  #batch = 0;
  /** The batch that the frame is in that was staged last. */
  #stagedBatch = 0;
  #flushScheduled = false;
  #earlyFlushBytes = earlyFlushBytes;
  #flushing = false;
  /** The connection takes no more. */
  #blocked = false;
  /** Where there is none at present, undefined. */
  #connection: Connection | undefined;
  #replay: ReplayBuffer | undefined;
  #handedOver: HandedOver | undefined;
  #stallWatch: StallWatch | undefined;
  #closed = false;
  #control: QueuedFrame[] = [];
  #bulk: QueuedFrame[] = [];
  #queuedBytes = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#connection = options.connection;
  }

  /** Whether bulk data should wait. */
  get blocked(): boolean {
    return this.#blocked || this.#replay?.full === true;
  }
  /** Bytes that have not been handed over; a frame in the queue counts 256 more than its body. */
  get queuedBytes(): number {
    return this.#queuedBytes + this.#writer.byteLength;
  }

  /**
   * Whether the peer may see the frame, or may have seen it: false while it waits in the queue, and for ever if it never left. A frame of the
   * batch that is being gathered counts as seen until the end shows that it did not leave.
   */
  mayArrive(departure: Departure): boolean {
    return departure.batch >= 0 && (!this.#closed || departure.batch < this.#batch);
  }

  /** Takes a frame out of the queue. @returns false if it has left the queue. */
  drop(departure: Departure): boolean {
    const frame = departure.queued;
    if (frame === undefined || this.#closed) return departure.batch === -1;
    this.#queuedBytes -= queuedFrameBytes + (frame.body?.length ?? 0);
    frame.body = undefined;
    departure.queued = undefined;
    return true;
  }

  /** Sends `body` in the place of a frame that is still in the queue. @returns false if it has left the queue. */
  replace(departure: Departure, body: Uint8Array): boolean {
    const frame = departure.queued;
    if (frame === undefined || this.#closed) return false;
    this.#queuedBytes += body.length - (frame.body?.length ?? 0);
    frame.body = body;
    this.#checkSize();
    return true;
  }

  /** Whether a frame of this lane can go into the batch now: else it has to wait, as a body. */
  takes(lane: Lane): boolean {
    return !this.#closed && !this.#blocked && !(lane === 'bulk' && this.#replay?.full === true);
  }

  /** The batch, to encode a frame into. {@link Outbox.stage} must follow at once. */
  get frames(): FrameWriter {
    return this.#writer;
  }

  /**
   * A frame was encoded straight into the batch. {@link Outbox.depart} sends it on its way.
   * @param counted whether it counts for the acknowledgement.
   */
  stage(counted: boolean): void {
    if (this.#closed) return;
    this.#stagedBatch = this.#batch;
    if (counted) {
      this.#options.onDeparture();
      if (this.#replay !== undefined) this.#keep(this.#replay, this.#writer.lastBody());
    }
    // The connection went while the frame was being encoded: what counts is sent again over the next one.
    if (this.#connection === undefined) this.#writer.take();
  }

  /** The frame that was staged last may leave. */
  depart(departure?: Departure): void {
    if (this.#closed) return;
    if (departure !== undefined) departure.batch = this.#stagedBatch;
    this.#flushSoon();
  }

  /** Takes a frame's body. @param counted whether it counts for the acknowledgement. */
  send(body: Uint8Array, lane: Lane, counted: boolean, departure?: Departure): void {
    if (this.#closed) return;
    if (!this.takes(lane)) {
      // Receipts, pings and pongs say nothing on another connection.
      if (this.#connection === undefined && !counted) return;
      const frame = { body, departure, counted };
      (lane === 'control' ? this.#control : this.#bulk).push(frame);
      if (departure !== undefined) departure.queued = frame;
      this.#queuedBytes += queuedFrameBytes + body.length;
      return this.#checkSize();
    }
    this.#append(body, counted, departure);
    this.#flushSoon();
  }

  /** A large batch leaves at once, a small one at the end of the turn. */
  #flushSoon(): void {
    if (this.#flushing || this.#blocked) return;
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      this.#options.clock.endOfTurn(this.#endOfTurn);
    }
    if (this.#writer.byteLength < this.#earlyFlushBytes) return;
    this.flush();
    if (this.#earlyFlushBytes < largestEarlyFlushBytes) this.#earlyFlushBytes *= 2;
  }

  /** Hands the batch to the connection. */
  flush(): void {
    if (this.#closed || this.#connection === undefined || this.#writer.frameCount === 0) return;
    this.#flushing = true;
    this.#options.onFlush();
    this.#flushing = false;
    this.#handOver(this.#connection);
  }

  /** The connection takes more. */
  onWritable(): void {
    if (this.#closed || !this.#blocked) return;
    this.#blocked = false;
    if (this.#replay?.full !== true) this.#stallWatch?.progress();
    this.#releaseAll();
  }

  /** Whether binary data lies in a buffer that was handed over. Not there before the first was: most sessions never have one. */
  get isHandedOver(): ((bytes: Uint8Array) => boolean) | undefined {
    return this.#handedOver?.has;
  }

  /** Notes buffers that belong to the connection from now on. @throws INVALID_ARGUMENT */
  handOver(buffers: readonly ArrayBuffer[]): void {
    this.#handedOver ??= new HandedOver();
    this.#handedOver.add(buffers);
  }

  /** Keeps what is sent from now on until it is confirmed, so that it can be sent again. */
  keep(maxBytes: number): void {
    this.#replay = new ReplayBuffer(maxBytes);
  }

  /** The other side has received so many of the counted messages. */
  confirm(count: number): void {
    const replay = this.#replay;
    if (replay === undefined) return;
    const wasFull = replay.full;
    const { bytes } = replay;
    replay.trim(count);
    if (replay.bytes < bytes && !this.#blocked) this.#stallWatch?.progress();
    if (wasFull && !replay.full && !this.#closed && !this.#blocked) this.#releaseAll();
  }

  /** Whether everything after the message of this count could be sent again. */
  canReplayFrom(count: number): boolean {
    return this.#replay?.has(count) === true;
  }

  /** There is no connection at present: what was gathered for it is kept or dropped, what comes waits. */
  suspend(): void {
    this.#connection = undefined;
    this.#blocked = true;
    this.#stallWatch?.pause();
    this.#writer.take();
    // A receipt that waits is out of date on another connection, and a pong is asked for by nobody.
    this.#control = this.#withoutUncounted(this.#control);
    this.#bulk = this.#withoutUncounted(this.#bulk);
  }

  #withoutUncounted(lane: QueuedFrame[]): QueuedFrame[] {
    return lane.filter(({ body, counted }) => {
      if (body !== undefined && !counted) this.#queuedBytes -= queuedFrameBytes + body.length;
      return counted && body !== undefined;
    });
  }

  /** Sends again what the other side has not confirmed, then what has waited. */
  resume(connection: Connection): void {
    this.#connection = connection;
    this.#blocked = false;
    this.#stallWatch?.goOn();
    for (const body of this.#replay?.bodies() ?? []) {
      this.#writer.append(body);
      if (this.#writer.byteLength >= catchUpBytes) this.#handOver(connection);
      // It may break again at once.
      if (this.#connection !== connection) return;
    }
    if (this.#writer.frameCount > 0) this.#handOver(connection);
    if (!this.#blocked) this.#releaseAll();
  }

  /**
   * Hands over what is queued, whatever the connection says, before it is closed. What its sender could still take back
   * stays behind: a call that nobody will answer had better not begin.
   */
  flushAll(): void {
    if (this.#closed) return;
    this.#blocked = false;
    for (const frame of [...this.#control, ...this.#bulk]) {
      if (frame.body !== undefined && frame.departure === undefined) this.#append(frame.body, frame.counted, undefined);
    }
    this.#control = [];
    this.#bulk = [];
    this.#queuedBytes = 0;
    this.flush();
  }

  close(): void {
    this.#closed = true;
    this.#stallWatch?.stop();
    this.#control = [];
    this.#bulk = [];
    this.#queuedBytes = 0;
  }

  /** @throws OVERLOADED if a new call should not be added to what waits. */
  assertRoom(): void {
    if (this.#queuedBytes > this.#options.maxQueuedBytes / 2) {
      throw new WorkerRuntimeError('OVERLOADED', `The other side reads too slowly: ${this.#queuedBytes} bytes wait for it. Try again later.`, {
        mayHaveRun: false,
      });
    }
  }

  /** Gives the batch to the connection. One that reports its end from within `send` has taken nothing: what was in the batch has not left. */
  #handOver(connection: Connection): void {
    // Whatever lies apart was handed over, or is a copy that was made for this batch. What may have to be sent again stays here.
    const transfer = this.#replay === undefined ? this.#writer.insertedBuffers : undefined;
    const takesMore = connection.send(this.#writer.take(), transfer);
    if (this.#closed || this.#connection !== connection) return;
    this.#batch += 1;
    if (takesMore) return;
    this.#blocked = true;
    this.#watchStall();
  }

  #keep(replay: ReplayBuffer, pieces: readonly Uint8Array[]): void {
    replay.push(pieces);
    // Who reads and never says so is no better than who does not read.
    if (replay.full && !this.#blocked) this.#watchStall();
  }

  #watchStall(): void {
    this.#stallWatch ??= new StallWatch({
      clock: this.#options.clock,
      timeoutMs: this.#options.stallTimeoutMs,
      isStalled: () => !this.#closed && this.blocked && this.#connection !== undefined,
      onStall: () => this.#options.onStall(this.#options.stallTimeoutMs),
    });
    this.#stallWatch.begin();
  }

  #releaseAll(): void {
    this.#release(this.#control);
    if (!this.#blocked) this.#release(this.#bulk);
    if (!this.#blocked) this.flush();
    if (!this.blocked) this.#options.onIdle();
  }

  readonly #endOfTurn = (): void => {
    this.#flushScheduled = false;
    this.#earlyFlushBytes = earlyFlushBytes;
    if (!this.#blocked) this.flush();
  };

  #checkSize(): void {
    if (this.#queuedBytes > this.#options.maxQueuedBytes) this.#options.onOverflow(this.#queuedBytes);
  }

  #append(body: Uint8Array, counted: boolean, departure: Departure | undefined): void {
    if (counted) {
      this.#options.onDeparture();
      if (this.#replay !== undefined) this.#keep(this.#replay, [body]);
    }
    if (departure !== undefined) {
      departure.batch = this.#batch;
      departure.queued = undefined;
    }
    this.#writer.append(body);
  }

  #release(lane: QueuedFrame[]): void {
    let taken = 0;
    while (taken < lane.length && !this.#blocked && (lane === this.#control || this.#replay?.full !== true)) {
      const frame = lane[taken] as QueuedFrame;
      taken += 1;
      const { body } = frame;
      if (body === undefined) continue;
      this.#queuedBytes -= queuedFrameBytes + body.length;
      // Out of the queue before it is sent: sending may end the connection.
      frame.body = undefined;
      this.#append(body, frame.counted, frame.departure);
      if (this.#writer.byteLength >= catchUpBytes) this.flush();
    }
    lane.splice(0, taken);
  }
}
