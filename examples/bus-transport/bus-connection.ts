import { type CloseReason, type Connection, type ConnectionHandlers, type ConnectionPeer, WorkerRuntimeError } from '@synapse/worker-runtime';
import type { BusClient } from './message-bus.js';
import { cutIntoBodies, decodeSegment, encodeSegment, type Segment, type SegmentKind, segmentHeaderBytes } from './segment.js';

/** How a connection over a bus behaves. */
export interface BusConnectionSettings {
  /** Bytes on the bus that the other side has not taken yet, from which on `send` returns false. */
  readonly windowBytes: number;
  /** How often a side says that it is there. */
  readonly keepAliveMs: number;
  /** A side that is silent for so long is dead. `Infinity`: its death is never noticed. */
  readonly leaseMs: number;
  /** How long `close` waits for the flush and for the end of the other side. */
  readonly closeTimeoutMs: number;
}

/** What a connection over a bus is made of. */
export interface BusConnectionParts {
  readonly client: BusClient;
  /** The subject on which this side hears. */
  readonly inbox: string;
  /** The subject on which the other side hears. */
  readonly peerInbox: string;
  readonly settings: BusConnectionSettings;
  /** Given to the side that was asked: called once, when the other side was heard for the first time. Until then it may not be listening, so that nothing is said. */
  onHeard?(): void;
}

/**
 * A connection over two subjects of a bus. A bus gives messages of a limited size and nothing else, so this adds what a connection promises:
 *
 * - **bytes of any number**: they are cut into segments that fit the payload limit; where a frame ends is not its business;
 * - **order, or the end**: segments are numbered, and a gap ends the connection, since there is no way to fill it;
 * - **backpressure**: the reader says how much it has taken, and no more than a window is on the bus;
 * - **an end**: said by both sides, after all that was accepted; and
 * - **notice of a death**: both sides say that they are there, and one that falls silent is given up when its lease is over.
 */
export class BusConnection implements Connection {
  /** Whatever the payload limit is: a frame is as many segments as it needs. */
  readonly maxFrameBytes = Number.POSITIVE_INFINITY;
  readonly peer: ConnectionPeer;
  readonly #parts: BusConnectionParts;
  readonly #unsubscribe: () => void;
  readonly #keepAlive: NodeJS.Timeout;
  #handlers: ConnectionHandlers | undefined;
  #flowing = false;
  #held: Uint8Array[] = [];
  #nextNumber = 0;
  #expectedNumber = 0;
  #heard = false;
  #silentTicks = 0;
  #waiting: Uint8Array[] = [];
  /** On the bus, and not taken by the other side. */
  #untakenBytes = 0;
  /** Arrived here, and not taken by this side's user. */
  #heldBytes = 0;
  #callerWaits = false;
  #endIsSaid = false;
  #peerHasEnded = false;
  #reason: CloseReason | undefined;
  #ended = false;
  #endIsReported = false;
  #closeTimer: NodeJS.Timeout | undefined;

  constructor(parts: BusConnectionParts) {
    this.#parts = parts;
    this.peer = { description: `bus subject ${parts.peerInbox}` };
    this.#unsubscribe = parts.client.subscribe(parts.inbox, (payload) => this.#onPayload(payload));
    // It keeps the process alive, as an open socket does.
    this.#keepAlive = setInterval(() => this.#tick(), parts.settings.keepAliveMs);
    if (parts.onHeard === undefined) this.#say('alive');
  }

  start(handlers: ConnectionHandlers): void {
    if (this.#handlers !== undefined) throw new WorkerRuntimeError('INVALID_STATE', 'A connection can be started once.');
    this.#handlers = handlers;
    setImmediate(() => this.#release());
  }

  send(chunks: readonly Uint8Array[]): boolean {
    if (this.#reason !== undefined) return false;
    this.#waiting.push(...cutIntoBodies(chunks, this.#parts.client.maxPayloadBytes - segmentHeaderBytes));
    this.#flush();
    this.#callerWaits = this.#waiting.length > 0 || this.#untakenBytes >= this.#parts.settings.windowBytes;
    return !this.#callerWaits;
  }

  close(options: { readonly abort?: boolean; readonly reason?: string } = {}): void {
    if (this.#ended) return;
    if (options.abort === true) {
      this.#say('abort');
      this.#end({ code: 'ABORTED', message: options.reason ?? 'This side aborted the connection.' });
    } else if (this.#reason === undefined) {
      this.#beginToClose({ code: 'CLOSED', message: options.reason ?? 'This side closed the connection.' });
      for (const body of this.#held.splice(0)) this.#take(body);
    }
  }

  #onPayload(payload: Uint8Array): void {
    if (this.#ended) return;
    const segment = decodeSegment(payload);
    if (segment === undefined) return this.#lose('something that is no segment arrived');
    if (segment.number !== this.#expectedNumber)
      return this.#lose(`segment ${segment.number} arrived in the place of ${this.#expectedNumber}: the bus has lost some`);
    this.#expectedNumber = (this.#expectedNumber + 1) >>> 0;
    this.#silentTicks = 0;
    if (!this.#heard) {
      this.#heard = true;
      this.#parts.onHeard?.();
    }
    this.#onSegment(segment);
  }

  #onSegment({ kind, body }: Segment): void {
    if (kind === 'data') this.#onData(body);
    else if (kind === 'taken') this.#onTaken(body);
    else if (kind === 'end') this.#onPeerEnd();
    else if (kind === 'abort') this.#lose('the other side aborted');
  }

  #onData(body: Uint8Array): void {
    if (this.#peerHasEnded) return this.#lose('the other side went on after its end');
    this.#heldBytes += body.length;
    // A sender that keeps to the window may overdraw it by one segment.
    if (this.#heldBytes > this.#parts.settings.windowBytes + this.#parts.client.maxPayloadBytes)
      return this.#lose('the other side does not keep to the window');
    if (this.#flowing || this.#reason !== undefined) this.#take(body);
    else this.#held.push(body);
  }

  /** Hands a body over (a closing connection drops it) and tells the sender that there is room again. */
  #take(body: Uint8Array): void {
    if (this.#reason === undefined || this.#reason.code === 'PEER_CLOSED') this.#handlers?.onData(body);
    this.#heldBytes -= body.length;
    if (this.#ended) return;
    const count = new Uint8Array(4);
    new DataView(count.buffer).setUint32(0, body.length);
    this.#say('taken', count);
  }

  #onTaken(body: Uint8Array): void {
    const bytes = body.length === 4 ? new DataView(body.buffer, body.byteOffset).getUint32(0) : Number.NaN;
    if (!(bytes <= this.#untakenBytes)) return this.#lose('the other side has taken more than it was sent');
    this.#untakenBytes -= bytes;
    this.#flush();
    if (this.#reason !== undefined) return this.#endIfFlushed();
    if (!this.#callerWaits || this.#waiting.length > 0 || this.#untakenBytes > this.#parts.settings.windowBytes / 2) return;
    this.#callerWaits = false;
    this.#handlers?.onWritable();
  }

  #onPeerEnd(): void {
    this.#peerHasEnded = true;
    // What was not handed over yet is still the user's: the end waits behind it.
    if (!this.#flowing && this.#reason === undefined) return;
    this.#answerPeerEnd();
  }

  #answerPeerEnd(): void {
    if (this.#reason === undefined) this.#beginToClose({ code: 'PEER_CLOSED', message: 'The other side closed the connection.' });
    else this.#endIfFlushed();
  }

  #release(): void {
    this.#flowing = true;
    for (const body of this.#held.splice(0)) this.#take(body);
    if (this.#ended) this.#reportEnd();
    else if (this.#peerHasEnded) this.#answerPeerEnd();
  }

  #flush(): void {
    let sent = 0;
    while (sent < this.#waiting.length && this.#untakenBytes < this.#parts.settings.windowBytes) {
      const body = this.#waiting[sent++]!;
      this.#untakenBytes += body.length;
      this.#say('data', body);
    }
    this.#waiting.splice(0, sent);
  }

  #say(kind: SegmentKind, body?: Uint8Array): void {
    this.#parts.client.publish(this.#parts.peerInbox, encodeSegment(kind, this.#nextNumber, body));
    this.#nextNumber = (this.#nextNumber + 1) >>> 0;
  }

  /** Counts ticks and not time: after a pause of this process itself, what the other side has said meanwhile is heard first. */
  #tick(): void {
    const { keepAliveMs, leaseMs } = this.#parts.settings;
    this.#silentTicks += 1;
    if (this.#silentTicks * keepAliveMs > leaseMs) this.#lose(`nothing was heard of the other side for ${leaseMs} ms`);
    else if (this.#heard || this.#parts.onHeard === undefined) this.#say('alive');
  }

  #beginToClose(reason: CloseReason): void {
    this.#reason = reason;
    const { closeTimeoutMs } = this.#parts.settings;
    this.#closeTimer = setTimeout(() => {
      const lost = this.#waiting.reduce((sum, body) => sum + body.length, this.#untakenBytes);
      const message = `${lost} bytes were not taken within ${closeTimeoutMs} ms. ${reason.message}`;
      this.#say('abort');
      this.#end(lost === 0 ? reason : { code: 'ABORTED', message });
    }, closeTimeoutMs);
    this.#closeTimer.unref();
    this.#endIfFlushed();
  }

  #endIfFlushed(): void {
    if (this.#waiting.length > 0) return;
    if (!this.#endIsSaid) {
      this.#endIsSaid = true;
      this.#say('end');
    }
    if (this.#peerHasEnded) this.#end(this.#reason!);
  }

  #lose(why: string): void {
    const reason = { code: 'CONNECTION_LOST', message: `The connection over the bus was lost: ${why}.` } as const;
    // What this side has closed, with everything taken, was closed in order, however the rest of it breaks.
    const allIsTaken = this.#untakenBytes === 0 && this.#waiting.length === 0;
    this.#end(this.#reason !== undefined && (this.#reason.code === 'PEER_CLOSED' || allIsTaken) ? this.#reason : reason);
  }

  #end(reason: CloseReason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reason = reason;
    clearInterval(this.#keepAlive);
    clearTimeout(this.#closeTimer);
    this.#unsubscribe();
    this.#waiting = [];
    if (this.#flowing) setImmediate(() => this.#reportEnd());
  }

  #reportEnd(): void {
    if (this.#endIsReported) return;
    this.#endIsReported = true;
    this.#handlers?.onClose(this.#reason!);
  }
}
