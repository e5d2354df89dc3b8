/**
 * Why a connection ended. `PEER_CLOSED`: the other side closed in order, after everything it had sent was delivered. `CLOSED`: this side did, and
 * everything it had accepted left. `ABORTED`: this side ended it by force (`abort`, or the bound of `close` was over) and accepted bytes may be lost.
 * `CONNECTION_LOST`: it broke.
 */
export interface CloseReason {
  /** Which of these it was. `PROTOCOL_ERROR` comes from no transport: the session above it was broken by what the other side sent, and has told it so. */
  readonly code: 'CLOSED' | 'PEER_CLOSED' | 'CONNECTION_LOST' | 'PROTOCOL_ERROR' | 'ABORTED';
  /** A sentence for a person. */
  readonly message: string;
}

/** What a connection tells its user. None of these may throw. */
export interface ConnectionHandlers {
  /**
   * Bytes have arrived, cut anywhere, in order. The connection must not write to `chunk` afterwards: the receiver may
   * keep views of it.
   */
  onData(chunk: Uint8Array): void;
  /** After a `send` that returned false: the connection takes more. */
  onWritable(): void;
  /** The connection has ended, in whatever way. Called exactly once, and nothing is called after it. */
  onClose(reason: CloseReason): void;
}

/** Who is at the other end, as far as the transport knows. */
export interface ConnectionPeer {
  /** For logs: `pid 4711`, `unix:/run/…`, `127.0.0.1:4711`. */
  readonly description: string;
}

/**
 * One live pipe: reliable and ordered, or closed. This is all that a transport implements; frames, messages and
 * sessions are built on it.
 */
export interface Connection {
  /** Begins to deliver. Called once; bytes that arrived before are kept until then. */
  start(handlers: ConnectionHandlers): void;
  /**
   * Sends the concatenation of `chunks`, which is one or more whole frames. Never throws; after the end it does nothing.
   * The connection may keep the chunks until they are written; nobody changes them any more.
   * A connection may report its end (`onClose`) from within `send` only if it has taken nothing of these chunks.
   * @returns false if the caller should wait for `onWritable`. What was given is accepted all the same. Also false after `close`
   * and after the end, when nothing is accepted and no `onWritable` follows.
   */
  send(chunks: readonly Uint8Array[]): boolean;
  /**
   * Ends the connection: first what was accepted is flushed, within a bound (2 s by default), or with `abort` nothing is.
   * Idempotent; `onClose` follows, and never from within this call.
   */
  close(options?: { readonly abort?: boolean; readonly reason?: string }): void;
  /** The largest frame, header included, that the transport can carry; `Infinity` where it sets no limit. */
  readonly maxFrameBytes: number;
  /** The other end. For people: nothing is allowed because of it. */
  readonly peer: ConnectionPeer;
}

/** A place that accepts connections. */
export interface TransportListener {
  /** Where to dial, as `unix:/…` or `wss://…`. */
  readonly address: string;
  /** Accepts no more and gives up the address. Connections that were accepted live on. */
  close(): Promise<void>;
}

/** A way to reach a peer. */
export interface Transport {
  /** For messages and logs; the runtime never branches on it. */
  readonly name: string;
  /** Connects to an address of this transport. Rejects when that fails or `signal` is aborted, and leaves nothing open then. */
  dial(address: string, options?: { readonly signal?: AbortSignal }): Promise<Connection>;
  /** Accepts connections at an address and hands each to `accept`, which calls its `start`. Rejects when the address cannot be had. */
  listen(address: string, accept: (connection: Connection) => void): Promise<TransportListener>;
}
