import { isWorkerRuntimeError, WorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import type { Clock, Timer } from '../../interfaces/platform.js';
import type { Connection } from '../../interfaces/transport.js';
import type { ValueCodec } from '../../messages/codec.js';
import type { HelloFields } from '../../messages/message.js';
import { readFirstMessage, sendFirstMessage } from '../../session/first-message.js';
import { protocolFeatures, protocolVersions } from '../../session/handshake.js';
import type { DialInOptions } from './dial-in-options.js';
import { DialledConnection } from './dialled-connection.js';

/** A peer that dialled in and said hello. */
export interface Arrival {
  readonly connection: DialledConnection;
  readonly hello: HelloFields;
  /** Where it comes from, for people. */
  readonly peer: string;
}

/** What a gate is made of. */
export interface GateOptions {
  readonly clock: Clock;
  readonly codec: ValueCodec;
  readonly limits: Required<DialInOptions>;
  /** Decides about the peer, and hands its connection on. What it throws is the answer to the peer, unless the connection was handed on. */
  judge(arrival: Arrival): Promise<void>;
  /** A peer was turned away, or turned away by itself, at this gate. */
  onRefused(peer: string, error: WorkerRuntimeError): void;
}

/**
 * Where connections wait that have not been welcomed: bounded in number, bytes and time, whoever they are. One that was refused counts until it is
 * closed, so that a peer that does not read its answer gains nothing.
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #waiting = new Map<Connection, Timer | undefined>();
  #closed = false;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Connections that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Takes a connection that was accepted. Never throws. */
  accept(accepted: Connection): void {
    const { clock, limits, onRefused } = this.#options;
    const peer = accepted.peer.description;
    if (this.#closed || this.#waiting.size >= limits.maxPendingConnections) {
      accepted.close({ abort: true, reason: 'The host takes no more connections at present.' });
      if (!this.#closed)
        onRefused(
          peer,
          new WorkerRuntimeError('OVERLOADED', `${limits.maxPendingConnections} connections wait already (dialIn.maxPendingConnections).`),
        );
      return;
    }
    const leave = (): void => {
      this.#waiting.get(accepted)?.cancel();
      this.#waiting.delete(accepted);
    };
    let refused = false;
    const refuse = (error: WorkerRuntimeError): void => {
      if (refused || connection.taken) return;
      refused = true;
      onRefused(peer, error);
      this.#reject(connection, error);
    };
    const timer = clock.setTimer(limits.pendingTimeoutMs, () => {
      if (!refused) onRefused(peer, new WorkerRuntimeError('HANDSHAKE_TIMEOUT', `It was not welcome within ${limits.pendingTimeoutMs} ms.`));
      refused = true;
      accepted.close({ abort: true, reason: 'The handshake took too long.' });
    });
    this.#waiting.set(accepted, timer);
    const connection: DialledConnection = new DialledConnection(accepted, clock, limits.maxHelloBytes, {
      onHello: (body) => this.#judge(connection, peer, body).catch(refuse),
      onInvalid: ({ message }) => refuse(new WorkerRuntimeError('HANDSHAKE_INVALID', message)),
      onClosed: leave,
      onTaken: leave,
    });
  }

  /** Ends all that wait, and takes no more. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#waiting.keys()) connection.close({ abort: true, reason: 'The host is stopping.' });
  }

  /** Rejects with a `WorkerRuntimeError`. */
  async #judge(connection: DialledConnection, peer: string, body: Uint8Array): Promise<void> {
    try {
      const message = readFirstMessage(body, this.#options.codec);
      if (message.kind !== 'hello') throw new WorkerRuntimeError('PROTOCOL_ERROR', `The first message must be hello, not ${message.kind}.`);
      await this.#options.judge({ connection, peer, hello: message.fields });
    } catch (error) {
      if (isWorkerRuntimeError(error, 'PROTOCOL_ERROR')) throw new WorkerRuntimeError('HANDSHAKE_INVALID', error.message);
      if (isWorkerRuntimeError(error)) throw error;
      throw new WorkerRuntimeError('INTERNAL_ERROR', 'The host could not answer the hello.', { cause: error });
    }
  }

  #reject(connection: DialledConnection, { code, message }: WorkerRuntimeError): void {
    const supported = { versions: protocolVersions, features: protocolFeatures };
    sendFirstMessage(connection, { kind: 'reject', code, message: message.slice(0, maxSentence), supported }, this.#options.codec);
    connection.close({ reason: 'The peer was refused.' });
  }
}

const maxSentence = 1_000;
