import { FrameDecoder } from '../../src/frames/frame-decoder.js';
import { FrameWriter } from '../../src/frames/frame-writer.js';
import { defaultFrameLimits } from '../../src/frames/limits.js';
import type { CloseReason, Connection } from '../../src/interfaces/transport.js';
import { decodeMessage } from '../../src/messages/decode-message.js';
import { encodeMessage } from '../../src/messages/encode-message.js';
import type { Message, MessageKind } from '../../src/messages/message.js';
import { codec } from './session-pair.js';

/** The other end of a connection, driven by a test message by message: it keeps no rule by itself. */
export class RawPeer {
  readonly messages: Message[] = [];
  /** Sizes of the bodies of `messages`. */
  readonly sizes: number[] = [];
  closed: CloseReason | undefined;
  /** Called with each message that arrives. */
  onMessage: (message: Message, bytes: number) => void = () => {};
  readonly #connection: Connection;
  readonly #decoder = new FrameDecoder(16 * 1024 * 1024);

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.start({
      onData: (chunk) =>
        this.#decoder.push(chunk, (body) => {
          const message = decodeMessage(body, codec, defaultFrameLimits);
          if (message === undefined) return true;
          this.messages.push(message);
          this.sizes.push(body.length);
          this.onMessage(message, body.length);
          return true;
        }),
      onWritable() {},
      onClose: (reason) => {
        this.closed = reason;
      },
    });
  }

  /** Sends messages together, as one batch. */
  send(...messages: Message[]): void {
    this.sendBodies(...messages.map((message) => encodeMessage(message, codec, { ...defaultFrameLimits, maxFrameBytes: 16 * 1024 * 1024 })));
  }

  /** Sends values, which need not be messages. */
  sendValues(...values: unknown[]): void {
    this.sendBodies(...values.map((value) => codec.encode(value)));
  }

  sendBodies(...bodies: Uint8Array[]): void {
    const writer = new FrameWriter();
    for (const body of bodies) writer.append(Uint8Array.from(body));
    this.#connection.send(writer.take());
  }

  sendBytes(...bytes: number[]): void {
    this.#connection.send([Uint8Array.from(bytes)]);
  }

  of<Kind extends MessageKind>(kind: Kind): Extract<Message, { kind: Kind }>[] {
    return this.messages.filter((message): message is Extract<Message, { kind: Kind }> => message.kind === kind);
  }

  get last(): Message | undefined {
    return this.messages.at(-1);
  }

  close(): void {
    this.#connection.close();
  }
}
