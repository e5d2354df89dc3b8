import type { IncomingCall } from './incoming-call.js';

/** A step that the callee reports while it works. */
export interface Progress {
  /** 0 to 1, or undefined where the callee cannot tell. */
  readonly fraction: number | undefined;
  /** A sentence for a person; undefined where the callee gave none. */
  readonly message: string | undefined;
  /** What the callee sent along for a program; unchecked. */
  readonly data: unknown;
}

/** How a call is made. */
export interface SessionCallOptions {
  /** Total time limit; 0 = none. Default: the session's, 30,000 for calls and none for streams. Progress does not extend it. */
  readonly timeoutMs?: number | undefined;
  /** For streams: the longest silence of the callee while the reader waits; 0 = none. Default 30,000. Items and progress start it anew. */
  readonly idleTimeoutMs?: number | undefined;
  /** Cancels the call. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each step that the callee reports, in order, before the call settles. If it throws, the call is cancelled, and fails with that as `cause`. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** The caller's promise that repeating the call with the same key does no harm; at most 256 bytes. */
  readonly idempotencyKey?: string | undefined;
  /** Id of the plugin on whose behalf the call is made. */
  readonly actingFor?: string | undefined;
  /** W3C trace context of an active trace. */
  readonly traceparent?: string | undefined;
  /**
   * Buffers of the params that the caller gives away: large ones are sent without a copy, and must not be touched any more; between threads they are detached.
   * Without it everything is copied when the call is made.
   */
  readonly transfer?: readonly ArrayBuffer[] | undefined;
  /** Items to send to the callee. */
  readonly input?: AsyncIterable<unknown> | undefined;
}

/** How a call is made inside this library: it may be nested in another, and be found again by what is nested in it. */
export interface NestedCallOptions extends SessionCallOptions {
  /** Whatever the caller wants to find again at the calls that are nested in this one (their `parentTag`). Never sent. */
  readonly tag?: unknown;
  /** The incoming call in the course of which this one is made: it inherits what is left of its time and is cancelled with it. */
  readonly parent?: IncomingCall | undefined;
}
