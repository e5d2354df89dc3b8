import type { Writable } from 'node:stream';
import { coalesceChunks } from './coalesce-chunks.js';

/**
 * Writes `chunks` to `stream` with one system call where the stream can do that: neighbouring small pieces are copied into one buffer,
 * large ones go as they are, and all of them leave in one writev.
 */
export function writeChunks(stream: Writable, chunks: readonly Uint8Array[]): void {
  if (chunks.length === 1) {
    stream.write(chunks[0]!);
    return;
  }
  const pieces = coalesceChunks(chunks);
  if (pieces.length === 1) {
    stream.write(pieces[0]!);
    return;
  }
  stream.cork();
  for (const piece of pieces) stream.write(piece);
  stream.uncork();
}
