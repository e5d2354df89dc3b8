import { isWorkerRuntimeError, WorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import type { Clock, Random } from '../../interfaces/platform.js';
import type { Connection } from '../../interfaces/transport.js';
import type { ValueCodec } from '../../messages/codec.js';
import type { HelloFields } from '../../messages/message.js';
import { readFirstMessage, sendFirstMessage } from '../../session/first-message.js';
import { protocolFeatures, protocolVersions } from '../../session/handshake.js';
import type { DialInOptions } from './dial-in-options.js';
import { DialledConnection } from './dialled-connection.js';
import { WaitingRoom } from './waiting-room.js';

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
  readonly random: Random;
  readonly codec: ValueCodec;
  readonly limits: Required<DialInOptions>;
  /** Decides about the peer, and hands its connection on. What it throws is the answer to the peer, unless the connection was handed on. */
  judge(arrival: Arrival): Promise<void>;
  /** A peer was turned away, or turned away by itself, at this gate. */
  onRefused(peer: string, error: WorkerRuntimeError): void;
}

/**
 * Where connections wait that have not been welcomed: bounded in number, bytes and time, whoever they are. One that was refused counts until it is
 * closed, so that a peer that does not read its answer gains nothing. Those who say nothing make room for those who come ({@link WaitingRoom}).
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #waiting: WaitingRoom;
  #closed = false;

  constructor(options: GateOptions) {
    const { clock, random, limits } = options;
    this.#options = options;
    this.#waiting = new WaitingRoom(clock, random, limits.maxPendingConnections);
  }

  /** Connections that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Takes a connection that was accepted. Never throws. */
  accept(accepted: Connection): void {
    const { clock, limits, onRefused } = this.#options;
    const peer = accepted.peer.description;
    if (this.#closed) return accepted.close({ abort: true, reason: stopping });
    let refused = false;
    /** Ends it without an answer. */
    const breakOff = (reason: string, error?: WorkerRuntimeError): void => {
      if (!refused && error !== undefined) onRefused(peer, error);
      refused = true;
      accepted.close({ abort: true, reason });
    };
    const guest = this.#waiting.enter((why) => {
      timer.cancel();
      if (why === 'closed') breakOff(stopping);
      else breakOff(tooMany, overloaded('It had said no hello when its place was needed'));
    });
    if (guest === undefined) return breakOff(tooMany, overloaded(`${limits.maxPendingConnections} connections wait already`));
    const leave = (): void => {
      timer.cancel();
      guest.leave();
    };
    const refuse = (error: WorkerRuntimeError): void => {
      if (refused || connection.taken) return;
      refused = true;
      guest.endDecision();
      onRefused(peer, error);
      this.#reject(connection, error);
    };
    const timer = clock.setTimer(limits.pendingTimeoutMs, () => {
      guest.endDecision();
      const error = new WorkerRuntimeError('HANDSHAKE_TIMEOUT', `It was not welcomed within ${limits.pendingTimeoutMs} ms.`);
      breakOff('The handshake took too long.', error);
    });
    const connection: DialledConnection = new DialledConnection(accepted, clock, limits.maxHelloBytes, {
      onHello: (body) => {
        // One that was broken off may still have been heard.
        if (refused) return;
        guest.beginDecision();
        void this.#judge(connection, peer, body).catch(refuse);
      },
      onInvalid: ({ message }) => refuse(new WorkerRuntimeError('HANDSHAKE_INVALID', message)),
      onClosed: leave,
      onTaken: leave,
    });
  }

  /** Ends all that wait, and takes no more. */
  close(): void {
    this.#closed = true;
    this.#waiting.clear();
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
const stopping = 'The host is stopping.';
const tooMany = 'The host takes no more connections at present.';

function overloaded(why: string): WorkerRuntimeError {
  return new WorkerRuntimeError('OVERLOADED', `${why} (dialIn.maxPendingConnections).`);
}
