import type { Clock } from '../interfaces/platform.js';
import type { OneWayMessage } from '../messages/message.js';
import { ReceiveCredit, SendCredit } from './credit.js';
import type { MessageConnection } from './message-connection.js';

/** Id of the one-way messages' window in credit messages. */
export const oneWayWindow = 0;

/** What the one-way messages of a session need. */
export interface OneWayMessagesOptions {
  readonly connection: MessageConnection;
  readonly clock: Clock;
  /** Handles a message; it counts as consumed when the returned promise, if any, is settled. */
  onMessage(message: OneWayMessage): void | Promise<void>;
  /** Messages can be sent again after {@link OneWayMessages.send} returned false. */
  onSendable(): void;
}

/** One-way messages in both directions: all of a direction share one window of credit. */
export class OneWayMessages {
  readonly #options: OneWayMessagesOptions;
  readonly #send = new SendCredit();
  readonly #receive: ReceiveCredit;
  #held = false;
  #sending = false;

  constructor(options: OneWayMessagesOptions) {
    const { connection, clock } = options;
    this.#options = options;
    this.#receive = new ReceiveCredit(clock, (bytes) => void connection.send({ kind: 'credit', id: oneWayWindow, bytes }, 'control'));
  }

  /** Sends, unless there is no credit or the connection is held up. @throws INVALID_VALUE, FRAME_TOO_LARGE. */
  send(method: string, params: unknown, traceparent: string | undefined): boolean {
    const { connection } = this.#options;
    if (!this.#send.available || connection.outbox.blocked || this.#sending) {
      this.#held = true;
      return false;
    }
    // One that a getter of these params sends has to wait: both together might overdraw the credit by more than a frame.
    this.#sending = true;
    try {
      this.#send.spend(connection.send({ kind: 'oneWay', method, params, traceparent }, 'bulk'));
    } finally {
      this.#sending = false;
    }
    return true;
  }

  /** A message arrived. @throws PROTOCOL_ERROR if it came without credit. */
  receive(message: OneWayMessage, bytes: number): void {
    this.#receive.receive(bytes);
    const handled = this.#options.onMessage(message);
    if (handled === undefined) return this.#receive.consume(bytes);
    const consume = (): void => this.#receive.consume(bytes);
    handled.then(consume, consume);
  }

  /** The other side granted more. */
  grant(bytes: number): void {
    this.#send.grant(bytes);
    this.release();
  }

  /** The connection takes bulk data again. */
  release(): void {
    if (!this.#held || !this.#send.available || this.#options.connection.outbox.blocked) return;
    this.#held = false;
    this.#options.onSendable();
  }
}
