import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { SendCredit } from './credit.js';
import type { MessageConnection } from './message-connection.js';

interface WaitingItem {
  readonly body: Uint8Array;
  resolve(): void;
  reject(error: unknown): void;
}

/** The most that may wait for credit in one stream; a writer that awaits each send never comes near. */
const maxWaitingBytes = 4 * 1024 * 1024;

/** The writing end of one direction of a stream: sends items while there is credit and the connection takes them. */
export class ItemSender {
  readonly #connection: MessageConnection;
  readonly #id: number;
  readonly #credit = new SendCredit();
  #waiting: WaitingItem[] = [];
  #waitingBytes = 0;
  /** An item is being encoded. */
  #staging = false;
  #closed: { readonly error: unknown } | undefined;
  #endIsDue = false;
  #onEmpty: (() => void) | undefined;

  constructor(connection: MessageConnection, id: number) {
    this.#connection = connection;
    this.#id = id;
  }

  /** Whether items wait for credit or for the connection. */
  get held(): boolean {
    return this.#waiting.length > 0;
  }
  get remainingCredit(): number {
    return this.#credit.remaining;
  }

  /**
   * Sends an item.
   * @returns undefined if it is on its way, else a promise that resolves when it is, and rejects when the stream ends before.
   * @throws INVALID_VALUE, FRAME_TOO_LARGE, OVERLOADED (more than 4 MiB wait because sends are not awaited), or what ended the stream.
   */
  send(value: unknown): Promise<void> | undefined {
    if (this.#closed !== undefined) throw this.#closed.error;
    if (this.#waiting.length === 0 && !this.#staging && this.#credit.available && !this.#connection.outbox.blocked) {
      this.#sendNow(value);
      return undefined;
    }
    const body = this.#connection.encode({ kind: 'item', id: this.#id, value });
    if (this.#waitingBytes > maxWaitingBytes) {
      throw new WorkerRuntimeError('OVERLOADED', 'More than 4 MiB of items wait for the reader of this stream; await each send.');
    }
    this.#waitingBytes += body.length;
    return new Promise((resolve, reject) => this.#waiting.push({ body, resolve, reject }));
  }

  #sendNow(value: unknown): void {
    // An item that a getter of this one sends has to wait: both together might overdraw the credit by more than a frame.
    this.#staging = true;
    try {
      const staged = this.#connection.stage({ kind: 'item', id: this.#id, value }, 'bulk');
      this.#credit.spend(typeof staged === 'number' ? staged : staged.length);
      this.#connection.dispatch(staged, 'bulk', true);
    } finally {
      this.#staging = false;
      if (this.#waiting.length > 0) this.pump();
    }
  }

  /** Says that no more items come, once all that wait are sent. Needs no credit. */
  end(): void {
    if (this.#closed !== undefined) return;
    this.#endIsDue = true;
    this.pump();
  }

  /** The reader granted more. */
  grant(bytes: number): void {
    this.#credit.grant(bytes);
    this.pump();
  }

  /** Sends what waits, as far as credit and connection allow. */
  pump(): void {
    if (this.#staging) return;
    while (this.#waiting.length > 0 && this.#credit.available && !this.#connection.outbox.blocked) {
      const item = this.#waiting.shift() as WaitingItem;
      this.#waitingBytes -= item.body.length;
      this.#credit.spend(item.body.length);
      this.#connection.sendBody(item.body, 'bulk', true);
      item.resolve();
    }
    if (this.#waiting.length > 0) return;
    // Held back like an item: it must not overtake its own request, which may still be in the queue and be dropped there.
    if (this.#endIsDue && !this.#connection.outbox.blocked) {
      this.#endIsDue = false;
      this.#connection.send({ kind: 'end', id: this.#id }, 'bulk');
    }
    const onEmpty = this.#onEmpty;
    this.#onEmpty = undefined;
    onEmpty?.();
  }

  /** Calls back once nothing waits any more; not at all if the stream is closed before. */
  whenEmpty(callback: () => void): void {
    if (this.#waiting.length === 0) callback();
    else this.#onEmpty = callback;
  }

  /** Ends it: whoever waits is told. */
  close(error: unknown): void {
    if (this.#closed !== undefined) return;
    this.#closed = { error };
    this.#endIsDue = false;
    this.#onEmpty = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const item of waiting) item.reject(error);
  }
}
