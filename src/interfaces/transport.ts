/**
 * Why a connection ended. `PEER_CLOSED`: the other side closed in order, after everything it had sent was delivered. `CLOSED`: this side did, and
 * everything it had accepted left. `ABORTED`: this side ended it by force (`abort`, or the bound of `close` was over) and accepted bytes may be lost.
 * `CONNECTION_LOST`: it broke. After this side's own `close`, once all that it had accepted has left, the end is `CLOSED` however it comes about, also by the other
 * side's abort.
 */
export interface CloseReason {
  /** Which of these it was. `PROTOCOL_ERROR`: it was broken by what the other side sent, as a text message on a WebSocket. */
  readonly code: 'CLOSED' | 'PEER_CLOSED' | 'CONNECTION_LOST' | 'PROTOCOL_ERROR' | 'ABORTED';
  /** A sentence for a person. */
  readonly message: string;
}

/** What a connection tells its user. None of these may throw. */
export interface ConnectionHandlers {
  /**
   * Bytes have arrived, cut anywhere, in order. The connection must not write to `chunk` afterwards: the receiver may
   * keep views of it. Not called after this side's own `close`.
   */
  onData(chunk: Uint8Array): void;
  /** The connection takes more. Only after a `send` that returned false, and not after this side's own `close`. */
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
  /**
   * Begins to deliver. Called once, a second call throws `INVALID_STATE`; bytes that arrived before are kept until then. Handlers are called from the event
   * loop, never from within `start`, `send` or `close`, except `onClose` as `send` says.
   */
  start(handlers: ConnectionHandlers): void;
  /**
   * Sends the concatenation of `chunks`, which is one or more whole frames. Never throws; after the end it does nothing.
   * The connection may keep the chunks until they are written; nobody changes them any more.
   * A connection may report its end (`onClose`) from within `send` only if it has taken nothing of these chunks.
   * @param transfer - buffers that the sender gives away. A chunk that is the whole of one may be moved and detached by a connection between threads; others
   * ignore it. All other memory stays the sender's: the connection neither changes nor moves it.
   * @returns false if the caller should wait for `onWritable`. What was given is accepted all the same. Also false after `close`
   * and after the end, when nothing is accepted and no `onWritable` follows.
   */
  send(chunks: readonly Uint8Array[], transfer?: readonly ArrayBuffer[]): boolean;
  /**
   * Ends the connection: first what was accepted is flushed, within a bound (2 s by default), or with `abort` nothing is.
   * Idempotent; `onClose` follows, and never from within this call. `reason` is then its message.
   */
  close(options?: { readonly abort?: boolean; readonly reason?: string }): void;
  /**
   * The largest frame, header included, that the transport can carry; `Infinity` where it sets no limit. The same at both ends, and at least 131,076, which
   * a handshake may need; a transport whose payload is smaller cuts frames into segments.
   */
  readonly maxFrameBytes: number;
  /** The other end. For people: nothing is allowed because of it. */
  readonly peer: ConnectionPeer;
}

/** A place that accepts connections. */
export interface TransportListener {
  /** Where to dial, as `unix:/…` or `wss://…`. */
  readonly address: string;
  /** Accepts no more and gives up the address. Connections that were accepted live on. Idempotent. */
  close(): Promise<void>;
}

/** A way to reach a peer. */
export interface Transport {
  /** For messages and logs; the runtime never branches on it. */
  readonly name: string;
  /**
   * Connects to an address of this transport. Rejects with `CONNECTION_LOST` when nobody is there, `CANCELLED` when `signal` is aborted before it has
   * resolved, `INVALID_ARGUMENT` for what is no address, and leaves nothing open then.
   */
  dial(address: string, options?: { readonly signal?: AbortSignal }): Promise<Connection>;
  /**
   * Accepts connections at an address and hands each to `accept`, which calls its `start`. An empty address is any free one, where the transport knows of
   * such. Rejects with `INVALID_STATE` when the address is taken, `INVALID_ARGUMENT` for what is no address.
   */
  listen(address: string, accept: (connection: Connection) => void): Promise<TransportListener>;
}
