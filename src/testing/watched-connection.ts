import { FrameDecoder } from '../frames/frame-decoder.js';
import { FrameWriter } from '../frames/frame-writer.js';
import { defaultFrameLimits, type FrameLimits } from '../frames/limits.js';
import type { Clock } from '../interfaces/platform.js';
import type { Connection, ConnectionHandlers, ConnectionPeer } from '../interfaces/transport.js';
import type { ValueCodec } from '../messages/codec.js';
import { decodeMessage } from '../messages/decode-message.js';
import { flagCalleeStreams, type Message } from '../messages/message.js';
import type { FaultPlan } from './faults.js';

/** A call that was seen to begin and not to end. */
export interface OpenCall {
  readonly caller: 'host' | 'plugin';
  readonly method: string;
  readonly isStream: boolean;
}

/** What a watched connection is made of. */
export interface WatchedConnectionOptions {
  /** The host's end. */
  readonly inner: Connection;
  readonly clock: Clock;
  readonly codec: ValueCodec;
  readonly faults: FaultPlan;
  /** Ends the worker as by SIGKILL. */
  crash(): void;
}

/** Whatever the host allows, this end can read. */
const limits: FrameLimits = { ...defaultFrameLimits, maxFrameBytes: 0xffff_ffff, maxElements: 2 ** 29, maxMapEntries: 2 ** 29 };

/** The host's end of the way to a worker in memory: sees which calls are open, and lets the faults of the plugin happen. */
export class WatchedConnection implements Connection {
  readonly #options: WatchedConnectionOptions;
  readonly #outgoing = new FrameDecoder(limits.maxFrameBytes);
  readonly #incoming = new FrameDecoder(limits.maxFrameBytes);
  readonly #open = new Map<number, OpenCall>();
  #held: { readonly body: Uint8Array; readonly message: Message | undefined }[] = [];
  #handlers: ConnectionHandlers | undefined;
  #ended = false;

  constructor(options: WatchedConnectionOptions) {
    this.#options = options;
  }

  get maxFrameBytes(): number {
    return this.#options.inner.maxFrameBytes;
  }
  get peer(): ConnectionPeer {
    return this.#options.inner.peer;
  }
  /** Calls whose caller still waits. */
  get openCalls(): readonly OpenCall[] {
    return this.#ended ? [] : [...this.#open.values()];
  }
  get ended(): boolean {
    return this.#ended;
  }

  start(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#options.inner.start({
      onData: (chunk) => this.#onData(chunk),
      onWritable: () => handlers.onWritable(),
      onClose: (reason) => {
        if (this.#ended) return;
        this.#ended = true;
        handlers.onClose(reason);
      },
    });
  }

  send(chunks: readonly Uint8Array[]): boolean {
    if (this.#ended) return false;
    const messages: Message[] = [];
    for (const chunk of chunks) {
      this.#outgoing.push(chunk, (body) => {
        const message = decodeMessage(body, this.#options.codec, limits);
        if (message !== undefined) messages.push(message);
        return true;
      });
    }
    let crashes = false;
    for (const message of messages) {
      if (message.kind !== 'request') continue;
      const at = this.#options.faults.takeCrash(message.method);
      if (at === 'before-send') return this.#breakUnsent();
      if (at === 'after-send') crashes = true;
    }
    for (const message of messages) this.#noteSent(message);
    const takesMore = this.#options.inner.send(chunks);
    // The bytes arrive with the end of a turn that was asked for first: the handler begins, and then the worker dies.
    if (crashes) this.#options.clock.endOfTurn(() => this.#options.crash());
    return takesMore;
  }

  close(options?: Parameters<Connection['close']>[0]): void {
    this.#options.inner.close(options);
  }

  /** Lets flow what is no longer held back. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    const writer = new FrameWriter();
    for (const { body, message } of held) this.#pass(writer, body, message);
    this.#deliver(writer);
  }

  #onData(chunk: Uint8Array): void {
    const writer = new FrameWriter();
    this.#incoming.push(chunk, (body) => {
      this.#pass(writer, body, decodeMessage(body, this.#options.codec, limits));
      return true;
    });
    this.#deliver(writer);
  }

  #pass(writer: FrameWriter, body: Uint8Array, message: Message | undefined): void {
    const call = message !== undefined && 'id' in message && message.kind !== 'request' ? this.#open.get(message.id) : undefined;
    const fate = this.#options.faults.fateOf(call?.caller === 'host' ? call.method : undefined);
    // Order is kept within a call: what follows something held back is held back too.
    if (fate === 'hold') this.#held.push({ body, message });
    if (fate !== 'pass') return;
    writer.append(body);
    if (message !== undefined) this.#noteReceived(message);
  }

  #deliver(writer: FrameWriter): void {
    for (const chunk of writer.take()) if (!this.#ended) this.#handlers?.onData(chunk);
  }

  /** The connection breaks while it is asked to send, before it has taken anything. */
  #breakUnsent(): false {
    this.#ended = true;
    this.#options.crash();
    this.#handlers?.onClose({ code: 'CONNECTION_LOST', message: 'The worker died before anything was sent to it.' });
    return false;
  }

  #noteSent(message: Message): void {
    if (message.kind === 'request') this.#begin('host', message.id, message.method, message.flags ?? 0);
    else if (message.kind === 'response' || message.kind === 'cancel') this.#open.delete(message.id);
  }

  #noteReceived(message: Message): void {
    if (message.kind === 'request') this.#begin('plugin', message.id, message.method, message.flags ?? 0);
    else if (message.kind === 'response' || message.kind === 'cancel') this.#open.delete(message.id);
  }

  #begin(caller: OpenCall['caller'], id: number, method: string, flags: number): void {
    this.#open.set(id, { caller, method, isStream: (flags & flagCalleeStreams) !== 0 });
  }
}
