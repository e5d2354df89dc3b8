/** What one frame may hold. Both sides of a session use the same limits: a sender refuses what its receiver would refuse. */
export interface FrameLimits {
  /** Largest body of a frame, in bytes, without the length prefix. */
  readonly maxFrameBytes: number;
  /** Deepest nesting of arrays and maps; the message's own array counts as 1. At most 128 (`maxSupportedDepth`). */
  readonly maxDepth: number;
  /** Most values in one frame: every array, map, key and leaf counts, the message's own array included. At most 2^29. */
  readonly maxElements: number;
  /** Most entries of one map. */
  readonly maxMapEntries: number;
}

/** 4 MiB, depth 32, 100,000 elements, 1,024 entries of a map (docs/protocol.md, sections 1 and 2). */
export const defaultFrameLimits: FrameLimits = {
  maxFrameBytes: 4 * 1024 * 1024,
  maxDepth: 32,
  maxElements: 100_000,
  maxMapEntries: 1_024,
};

/** Largest body before `welcome`, in bytes, whatever the session's limit will be. */
export const handshakeFrameBytes = 131_072;

/** A larger `maxDepth` is taken for this one: whoever decodes recursively must not run out of stack. */
export const maxSupportedDepth = 128;

/** Bytes of the length prefix of a frame. */
export const frameHeaderBytes = 4;
