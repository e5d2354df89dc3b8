/** How long bytes travel: a fixed time, or one drawn anew for every batch between two bounds. The order of bytes never changes. */
export type Delay = number | { readonly minMs: number; readonly maxMs: number };

/**
 * Steers what happens to the bytes of one direction of a memory pair. Every fault stays in force until it is changed, may be
 * set at any time, and can be combined with the others.
 *
 * Apart from two, no fault breaks the promise of a connection: bytes arrive whole and in order, or the connection ends.
 * {@link FaultControl.corruptNext} and {@link FaultControl.dropNext} do break it, for tests of what a receiver does then.
 */
export interface FaultControl {
  /** Bytes accepted and not yet delivered. */
  readonly bufferedBytes: number;
  /** Lets every batch sent from now on arrive after this time; 0 (default) at the end of the turn. */
  delay(delay: Delay): void;
  /** Cuts what is delivered into pieces of 1 to `maxPieceBytes` bytes, at random places; `Infinity` (default) leaves batches whole. */
  split(maxPieceBytes: number): void;
  /** With true, all bytes that are due together arrive as one chunk; with false (default), each `send` as one. */
  merge(on: boolean): void;
  /**
   * Stops delivering after `afterBytes` more bytes (default 0). The sender goes on until its high-water mark says false: a peer
   * that never reads, or one that leaves half a frame behind.
   */
  stall(afterBytes?: number): void;
  /** Ends a stall. */
  resume(): void;
  /** Flips one random bit of the next chunk that is delivered. */
  corruptNext(): void;
  /** Loses the next chunk that would be delivered, and goes on with the one behind it: a hole in the stream. */
  dropNext(): void;
  /**
   * Lets nothing of the sender through any more, for good: what is in flight, what it sends from now on and its end are swallowed, and neither side is told.
   * Only heartbeats, time limits and `cut` find out. For an old incarnation that must not be heard any more, and for networks that fall silent.
   */
  fence(): void;
  /** The sender says that it will send no more (a half-close): the receiver gets everything in flight, then `PEER_CLOSED`. */
  end(): void;
  /**
   * Loses the connection, in both directions. Of the bytes in flight in this direction the first `deliverBytes` still arrive (default
   * all of them, even through a stall); then each side sees `CONNECTION_LOST`.
   */
  cut(options?: { readonly deliverBytes?: number }): void;
}
