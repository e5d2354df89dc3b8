/** Bytes from hex digits; blanks are for the reader. */
export function hex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits.replaceAll(' ', ''), 'hex'));
}

/** A body behind its length prefix. */
export function frameOf(body: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return new Uint8Array(Buffer.concat([header, body]));
}

/**
 * The same runs every time; `FAST_CHECK_SEED=… FAST_CHECK_RUNS=…` explores others. A failure prints its seed and path.
 */
export const propertyOptions = {
  seed: Number(process.env.FAST_CHECK_SEED ?? 20_260_101),
  numRuns: Number(process.env.FAST_CHECK_RUNS ?? 200),
};

/** For tests of many runs, on a machine that does something else too. */
export const slow = { timeout: 30_000 };
