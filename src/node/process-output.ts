import type { Readable } from 'node:stream';
import { LineReader, type OutputLine } from './line-reader.js';

/** Options of {@link readOutput}. */
export interface ProcessOutputOptions {
  readonly maxLineBytes: number;
  /** How fast a worker may print; above it, it waits in its own write. A line costs its bytes and 64 more. */
  readonly maxBytesPerSecond: number;
  onLine(line: OutputLine): void;
}

/** The output of a process, while it is read. */
export interface ProcessOutput {
  /** The process is gone: what is left in the pipe is read without the limit on speed. */
  hurry(): void;
  /** Reports a last half line and stops reading. Idempotent. */
  stop(): void;
}

const costOfLine = 64;

/**
 * Reads what a worker prints as bounded lines. A flood is slowed down at its source: above the speed limit the pipe is not read, so that it
 * costs the host neither memory nor time. An error of the pipe ends the reading and nothing else.
 */
export function readOutput(stream: Readable, options: ProcessOutputOptions): ProcessOutput {
  let allowance = options.maxBytesPerSecond;
  let countedAt = performance.now();
  let limited = true;
  let stopped = false;
  let pause: NodeJS.Timeout | undefined;

  const lines = new LineReader({
    maxLineBytes: options.maxLineBytes,
    onLine(line) {
      try {
        options.onLine(line);
      } catch {
        // A log that fails must not end the worker that writes to it, nor the host.
      }
    },
  });

  const resume = (): void => {
    clearTimeout(pause);
    pause = undefined;
    stream.resume();
  };

  stream.on('error', () => {});
  stream.on('data', (chunk: Buffer) => {
    if (stopped) return;
    const cost = chunk.length + lines.push(chunk) * costOfLine;
    const now = performance.now();
    allowance = Math.min(options.maxBytesPerSecond, allowance + ((now - countedAt) / 1_000) * options.maxBytesPerSecond) - cost;
    countedAt = now;
    if (allowance < 0 && limited) {
      stream.pause();
      pause = setTimeout(resume, (-allowance / options.maxBytesPerSecond) * 1_000);
      pause.unref();
    }
  });

  return {
    hurry() {
      limited = false;
      resume();
    },
    stop() {
      if (stopped) return;
      stopped = true;
      clearTimeout(pause);
      lines.end();
      stream.destroy();
    },
  };
}
