import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Clock, Timer } from '../interfaces/platform.js';
import type { MessageKind } from '../messages/message.js';

const messagesBeforeAck = 64;
const messagesBeforeRiding = 48;
const bytesBeforeAck = 256 * 1024;
const delayBeforeAckMs = 100;

/** Whether messages of this kind are counted (docs/protocol.md, section 6). */
export function isCounted(kind: MessageKind | undefined): boolean {
  return kind !== 'ping' && kind !== 'pong' && kind !== 'ack';
}

/** Counts what arrived and what was sent, and decides when a receipt is due. */
export class Acknowledgement {
  readonly #clock: Clock;
  readonly #send: (count: number) => void;
  #received = 0;
  #acked = 0;
  #unackedBytes = 0;
  #sent = 0;
  #ackedByPeer = 0;
  #timer: Timer | undefined;
  #stopped = false;
  #paused = false;

  /** @param send sends the ack message. */
  constructor(clock: Clock, send: (count: number) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** How many messages arrived and count. */
  get received(): number {
    return this.#received;
  }
  /** How many messages the peer has confirmed. */
  get confirmedByPeer(): number {
    return this.#ackedByPeer;
  }
  /** How many of the messages that were sent the peer has not confirmed. */
  get unconfirmed(): number {
    return this.#sent - this.#ackedByPeer;
  }

  noteReceived(bytes: number): void {
    this.#received += 1;
    if (this.#stopped || this.#paused) return;
    this.#unackedBytes += bytes;
    if (this.#received - this.#acked >= messagesBeforeAck || this.#unackedBytes >= bytesBeforeAck) this.#sendAck();
    else this.#timer ??= this.#clock.setTimer(delayBeforeAckMs, this.#onTimer);
  }

  noteSent(): void {
    this.#sent += 1;
  }

  /** Called before a flush: an ack that is nearly due rides along. */
  ride(): void {
    if (!this.#stopped && !this.#paused && this.#received - this.#acked >= messagesBeforeRiding) this.#sendAck();
  }

  /** Whether the other side can have received so many messages, and has not said that it received more. */
  isPossible(count: number): boolean {
    return count <= this.#sent && count >= this.#ackedByPeer;
  }

  /** @throws PROTOCOL_ERROR if the count is impossible. */
  noteAck(count: number): void {
    if (!this.isPossible(count)) {
      throw new WorkerRuntimeError(
        'PROTOCOL_ERROR',
        `The other side acknowledged ${count} messages, but ${this.#sent} were sent and ${this.#ackedByPeer} acknowledged before.`,
      );
    }
    this.#ackedByPeer = count;
  }

  /** There is no connection to send receipts on. */
  pause(): void {
    this.#paused = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** There is one again, and the other side has been told the count in the handshake. */
  resume(): void {
    this.#paused = false;
    this.#acked = this.#received;
    this.#unackedBytes = 0;
  }

  /** Sends no more receipts: the goodbye is the last message. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    if (this.#received > this.#acked) this.#sendAck();
  };

  #sendAck(): void {
    this.#acked = this.#received;
    this.#unackedBytes = 0;
    this.#send(this.#received);
  }
}
