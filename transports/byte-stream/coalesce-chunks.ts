/** Pieces below this size are copied together; above it a copy costs more than one more vector in the system call. */
const copyBelowBytes = 8_192;

/** Copies neighbouring small chunks into one piece, leaves large ones as they are, and drops empty ones. */
export function coalesceChunks(chunks: readonly Uint8Array[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  let runBytes = 0;
  const endRun = (): void => {
    if (run.length === 1) pieces.push(run[0]!);
    else if (run.length > 1) pieces.push(Buffer.concat(run, runBytes));
    run = [];
    runBytes = 0;
  };
  for (const chunk of chunks) {
    if (chunk.length >= copyBelowBytes) {
      endRun();
      pieces.push(chunk);
    } else if (chunk.length > 0) {
      run.push(chunk);
      runBytes += chunk.length;
    }
  }
  endRun();
  return pieces;
}
