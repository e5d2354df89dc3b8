import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { FrameDecoder } from '../frames/frame-decoder.js';
import { frameHeaderBytes, handshakeFrameBytes } from '../frames/limits.js';
import type { Clock } from '../interfaces/platform.js';
import type { CloseReason, Connection, ConnectionHandlers, ConnectionPeer } from '../interfaces/transport.js';

/** The first frame of a connection, and the connection for whoever goes on with it. */
export interface Peeked {
  readonly body: Uint8Array;
  /** Delivers from the first byte on, as if nobody had looked. */
  readonly whole: Connection;
  /** Delivers what comes after the first frame. Only one of the two may be started. */
  readonly rest: Connection;
}

/** How {@link peekFirstFrame} reads. */
export interface PeekOptions {
  readonly clock: Clock;
  /** How long the first frame may take to arrive, milliseconds. */
  readonly timeoutMs: number;
  /** Bytes that are kept until somebody goes on with the connection; more of them end it. Default 256 KiB. */
  readonly maxHeldBytes?: number;
}

/**
 * Reads the first frame of a connection that has not been started, to see to whom it belongs. What else arrives before somebody goes on with the
 * connection is kept.
 *
 * Rejects with HANDSHAKE_TIMEOUT after `timeoutMs`, PROTOCOL_ERROR for a length that a first frame cannot have, CONNECTION_LOST if it ends before; the
 * connection is aborted then.
 */
export function peekFirstFrame(connection: Connection, options: PeekOptions): Promise<Peeked> {
  return new Promise((resolve, reject) => {
    const { clock, timeoutMs, maxHeldBytes = 2 * handshakeFrameBytes } = options;
    const decoder = new FrameDecoder(handshakeFrameBytes);
    const held: Uint8Array[] = [];
    let heldBytes = 0;
    let found = false;
    let ended: CloseReason | undefined;
    let next: ConnectionHandlers | undefined;
    let released = false;

    const fail = (error: WorkerRuntimeError): void => {
      timer.cancel();
      reject(error);
      connection.close({ abort: true, reason: error.message });
    };
    const timer = clock.setTimer(timeoutMs, () =>
      fail(new WorkerRuntimeError('HANDSHAKE_TIMEOUT', `The first message did not arrive within ${timeoutMs} ms.`)),
    );
    const startAfter = (skipBytes: number) => (handlers: ConnectionHandlers) => {
      if (next !== undefined) throw new WorkerRuntimeError('INVALID_STATE', 'A connection can be started once.');
      next = handlers;
      // As with any connection, nothing is called from within `start`.
      clock.endOfTurn(() => {
        released = true;
        for (const chunk of afterBytes(held.splice(0), skipBytes)) handlers.onData(chunk);
        if (ended !== undefined) handlers.onClose(ended);
      });
    };
    const look = (chunk: Uint8Array): void => {
      decoder.push(chunk, (body) => {
        found = true;
        timer.cancel();
        resolve({
          body,
          whole: new PeekedConnection(connection, startAfter(0)),
          rest: new PeekedConnection(connection, startAfter(frameHeaderBytes + body.length)),
        });
        return false;
      });
    };
    connection.start({
      onData(chunk) {
        if (released) {
          next?.onData(chunk);
          return;
        }
        held.push(chunk);
        heldBytes += chunk.length;
        try {
          if (!found) look(chunk);
          if (heldBytes > maxHeldBytes) connection.close({ abort: true, reason: `More than ${maxHeldBytes} bytes came before they could be taken.` });
        } catch (error) {
          fail(error as WorkerRuntimeError);
        }
      },
      onWritable: () => next?.onWritable(),
      onClose(reason) {
        ended = reason;
        timer.cancel();
        reject(new WorkerRuntimeError('CONNECTION_LOST', `The connection ended before its first message: ${reason.message}`));
        if (released) next?.onClose(reason);
      },
    });
  });
}

/** A connection that somebody has looked into. */
class PeekedConnection implements Connection {
  readonly #connection: Connection;
  readonly start: (handlers: ConnectionHandlers) => void;

  constructor(connection: Connection, start: (handlers: ConnectionHandlers) => void) {
    this.#connection = connection;
    this.start = start;
  }

  get maxFrameBytes(): number {
    return this.#connection.maxFrameBytes;
  }
  get peer(): ConnectionPeer {
    return this.#connection.peer;
  }
  send(chunks: readonly Uint8Array[], transfer?: readonly ArrayBuffer[]): boolean {
    return this.#connection.send(chunks, transfer);
  }
  close(options?: { readonly abort?: boolean; readonly reason?: string }): void {
    this.#connection.close(options);
  }
}

function afterBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  let skip = count;
  const rest: Uint8Array[] = [];
  for (const chunk of chunks) {
    if (skip < chunk.length) rest.push(skip === 0 ? chunk : chunk.subarray(skip));
    skip = Math.max(0, skip - chunk.length);
  }
  return rest;
}
