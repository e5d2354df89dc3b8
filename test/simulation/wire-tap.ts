import { FrameDecoder } from '../../src/frames/frame-decoder.js';
import { defaultFrameLimits } from '../../src/frames/limits.js';
import type { Connection } from '../../src/interfaces/transport.js';
import { msgpackrCodec } from '../../src/messages/codec.js';
import { decodeMessage } from '../../src/messages/decode-message.js';
import type { Message } from '../../src/messages/message.js';
import { initialWindowBytes } from '../../src/session/credit.js';

const codec = msgpackrCodec();
const uncounted = new Set(['ping', 'pong', 'ack', 'hello', 'welcome', 'reject']);

/** Whom a tap tells what it saw. */
export interface TapObserver {
  onWire(direction: 'out' | 'in', message: Message, bytes: number): void;
  violate(what: string): void;
}

/**
 * Listens at one end of a connection, and checks what its session sends against the protocol, from nothing but the bytes: it shares no
 * bookkeeping with the session.
 */
export class WireTap implements Connection {
  readonly #inner: Connection;
  readonly #observer: TapObserver;
  readonly #out = new FrameDecoder(64 * 1024 * 1024);
  readonly #in = new FrameDecoder(64 * 1024 * 1024);
  /** Credit that this side has left, by stream; 0 is the one-way window. */
  readonly #credit = new Map<number, number>();
  readonly #requestsOut = new Set<number>();
  readonly #requestsIn = new Set<number>();
  readonly #answersOut = new Set<number>();
  readonly #endsOut = new Set<number>();
  #lastIdOut = 0;
  #countedIn = 0;
  #ackedOut = 0;
  #overByGoodbye = false;

  constructor(inner: Connection, observer: TapObserver) {
    this.#inner = inner;
    this.#observer = observer;
  }

  get maxFrameBytes(): number {
    return this.#inner.maxFrameBytes;
  }
  get peer(): Connection['peer'] {
    return this.#inner.peer;
  }
  /** Requests that this side handed to the connection. */
  get requestsOut(): ReadonlySet<number> {
    return this.#requestsOut;
  }
  /** Requests that arrived and were not answered. */
  get unanswered(): number[] {
    return [...this.#requestsIn].filter((id) => !this.#answersOut.has(id));
  }

  start(handlers: Parameters<Connection['start']>[0]): void {
    this.#inner.start({
      onData: (chunk) => {
        this.#in.push(chunk, (body) => {
          const message = decodeMessage(body, codec, defaultFrameLimits);
          if (message !== undefined) this.#noteIn(message, body.length);
          return true;
        });
        handlers.onData(chunk);
      },
      onWritable: () => handlers.onWritable(),
      onClose: (reason) => handlers.onClose(reason),
    });
  }

  send(chunks: readonly Uint8Array[]): boolean {
    for (const chunk of chunks) {
      this.#out.push(Uint8Array.from(chunk), (body) => {
        const message = decodeMessage(body, codec, defaultFrameLimits);
        if (message !== undefined) this.#noteOut(message, body.length);
        return true;
      });
    }
    return this.#inner.send(chunks);
  }

  close(options?: Parameters<Connection['close']>[0]): void {
    this.#inner.close(options);
  }

  #noteIn(message: Message, bytes: number): void {
    this.#observer.onWire('in', message, bytes);
    if (!uncounted.has(message.kind)) this.#countedIn += 1;
    if (message.kind === 'credit') this.#credit.set(message.id, this.#left(message.id) + message.bytes);
    if (message.kind === 'request') this.#requestsIn.add(message.id);
  }

  #noteOut(message: Message, bytes: number): void {
    this.#observer.onWire('out', message, bytes);
    if (this.#overByGoodbye) this.#observer.violate(`${message.kind} sent after goodbye`);
    switch (message.kind) {
      case 'request':
        if (message.id <= this.#lastIdOut) this.#observer.violate(`request id ${message.id} after ${this.#lastIdOut}`);
        this.#lastIdOut = message.id;
        this.#requestsOut.add(message.id);
        return;
      case 'response':
        if (!this.#requestsIn.has(message.id)) this.#observer.violate(`answer to ${message.id}, which never arrived`);
        if (this.#answersOut.has(message.id)) this.#observer.violate(`second answer to ${message.id}`);
        this.#answersOut.add(message.id);
        return;
      case 'item':
        if (this.#answersOut.has(message.id)) this.#observer.violate(`item after the answer to ${message.id}`);
        if (this.#endsOut.has(message.id)) this.#observer.violate(`item after the end of ${message.id}`);
        return this.#spend(message.id, bytes);
      case 'oneWay':
        return this.#spend(0, bytes);
      case 'end':
        this.#endsOut.add(message.id);
        return;
      case 'progress':
        if (this.#answersOut.has(message.id)) this.#observer.violate(`progress after the answer to ${message.id}`);
        return;
      case 'ack':
        if (message.count > this.#countedIn) this.#observer.violate(`ack of ${message.count} when ${this.#countedIn} had arrived`);
        if (message.count < this.#ackedOut) this.#observer.violate(`ack of ${message.count} after ${this.#ackedOut}`);
        this.#ackedOut = message.count;
        return;
      case 'goodbye':
        this.#overByGoodbye = true;
        return;
      default:
        return;
    }
  }

  #left(id: number): number {
    return this.#credit.get(id) ?? initialWindowBytes;
  }

  #spend(id: number, bytes: number): void {
    const left = this.#left(id);
    if (left <= 0) this.#observer.violate(`${bytes} bytes sent on ${id} with a credit of ${left}`);
    this.#credit.set(id, left - bytes);
  }
}
