import type { Writable } from 'node:stream';

/** Pieces below this size are copied together; above it a copy costs more than one more vector in the system call. */
const copyBelowBytes = 8_192;

/**
 * Writes `chunks` to `stream` with one system call where the stream can do that: neighbouring small pieces are copied into one buffer,
 * large ones go as they are, and all of them leave in one writev.
 */
export function writeChunks(stream: Writable, chunks: readonly Uint8Array[]): void {
  if (chunks.length === 1) {
    stream.write(chunks[0]!);
    return;
  }
  const pieces = coalesce(chunks);
  if (pieces.length === 1) {
    stream.write(pieces[0]!);
    return;
  }
  stream.cork();
  for (const piece of pieces) stream.write(piece);
  stream.uncork();
}

function coalesce(chunks: readonly Uint8Array[]): Uint8Array[] {
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
