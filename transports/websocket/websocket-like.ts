/** What {@link fromWebSocket} uses of a `WebSocket` of the package `ws`, which has all of it. */
export interface WebSocketLike {
  /** 1 while it is open. */
  readonly readyState: number;
  /** Bytes that wait to be written. */
  readonly bufferedAmount: number;
  /** Set to `fragments`. */
  binaryType: string;
  /** The listener gets an array of buffers for a binary message. */
  on(event: 'message', listener: (data: unknown, isBinary: boolean) => void): unknown;
  /** Any sign of life. */
  on(event: 'ping' | 'pong', listener: () => void): unknown;
  /** A broken rule of WebSocket; `close` follows. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** The end; 1006 where the other side did not say goodbye. */
  on(event: 'close', listener: (code: number, reason: Uint8Array) => void): unknown;
  /** Sends a message or, with `fin` false, a fragment of one. The callback comes when it is written, never from within. */
  send(
    data: Uint8Array,
    options: { readonly binary: boolean; readonly fin: boolean; readonly compress: boolean },
    callback: (error?: Error) => void,
  ): void;
  /** Sends a ping. */
  ping(): void;
  /** Stops reading. */
  pause(): void;
  /** Reads again. */
  resume(): void;
  /** Begins the closing handshake, behind what was sent. */
  close(code: number, reason: string): void;
  /** Ends it at once. */
  terminate(): void;
}
