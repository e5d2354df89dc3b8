import type { CloseReason, Connection, ConnectionHandlers } from '../interfaces/transport.js';
import { printableText } from './printable-text.js';

const headerBytes = 4;
/**
 * The first byte of a frame's length is at most this on standard output: a frame of 144 MiB and more would look like text, every character of which is above
 * it.
 */
const largestFirstByte = 0x08;
const lineFeed = 0x0a;
/** What of a stray line is quoted. */
const maxQuotedBytes = 200;
/** How long the rest of a line that began is waited for. */
const restOfLineMs = 50;

/**
 * Watches what a worker sends over its standard output: where a frame should begin and text does, somebody printed. The frames before it are delivered,
 * and the connection ends with `PROTOCOL_ERROR` and a sentence that quotes the text.
 *
 * A print into the middle of a frame cannot be told from the frame; the session finds it when it decodes.
 */
export function withoutStrayOutput(connection: Connection): Connection {
  return new GuardedConnection(connection);
}

class GuardedConnection implements Connection {
  readonly maxFrameBytes: number;
  readonly #inner: Connection;
  #handlers: ConnectionHandlers | undefined;
  /** Where the walk over the frames is: bytes of a header that were read, the length they say, bytes of the body that are still to come. */
  #header = 0;
  #length = 0;
  #missing = 0;
  #stray: Uint8Array[] | undefined;
  #strayTimer: NodeJS.Timeout | undefined;
  #reason: CloseReason | undefined;

  constructor(inner: Connection) {
    this.#inner = inner;
    this.maxFrameBytes = Math.min(inner.maxFrameBytes, headerBytes + ((largestFirstByte + 1) << 24) - 1);
  }

  get peer(): Connection['peer'] {
    return this.#inner.peer;
  }

  start(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#inner.start({
      onData: (chunk) => this.#onData(chunk),
      onWritable: () => handlers.onWritable(),
      onClose: (reason) => {
        this.#judgeStray();
        handlers.onClose(this.#reason ?? reason);
      },
    });
  }

  send(chunks: readonly Uint8Array[]): boolean {
    return this.#inner.send(chunks);
  }

  close(options?: { readonly abort?: boolean; readonly reason?: string }): void {
    this.#inner.close(options);
  }

  #onData(chunk: Uint8Array): void {
    if (this.#reason !== undefined) return;
    if (this.#stray !== undefined) return this.#gather(chunk);
    const end = this.#endOfFrames(chunk);
    if (end > 0) this.#handlers?.onData(end === chunk.length ? chunk : chunk.subarray(0, end));
    if (end < chunk.length) this.#gather(chunk.subarray(end));
  }

  /** Where the chunk stops to be frames. */
  #endOfFrames(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length) {
      if (this.#missing > 0) {
        const step = Math.min(this.#missing, chunk.length - at);
        this.#missing -= step;
        at += step;
        continue;
      }
      const byte = chunk[at]!;
      if (this.#header === 0 && byte > largestFirstByte) return at;
      this.#length = this.#length * 256 + byte;
      this.#header += 1;
      at += 1;
      if (this.#header < headerBytes) continue;
      this.#missing = this.#length;
      this.#header = 0;
      this.#length = 0;
    }
    return at;
  }

  /** Text often comes in pieces: the line and its end, or character by character. */
  #gather(bytes: Uint8Array): void {
    this.#stray ??= [];
    this.#stray.push(bytes);
    this.#strayTimer ??= setTimeout(() => this.#judgeStray(), restOfLineMs);
    const gathered = this.#stray.reduce((sum, piece) => sum + piece.length, 0);
    if (gathered > maxQuotedBytes || bytes.includes(lineFeed)) this.#judgeStray();
  }

  #judgeStray(): void {
    clearTimeout(this.#strayTimer);
    if (this.#stray === undefined || this.#reason !== undefined) return;
    const message =
      `The worker wrote ${quote(Buffer.concat(this.#stray))} to its standard output, which carries the protocol (runtime.channel: stdio); ` +
      'print to standard error.';
    this.#stray = undefined;
    this.#reason = { code: 'PROTOCOL_ERROR', message };
    this.#inner.close({ abort: true, reason: message });
  }
}

/** The first line, up to the first byte that is no text: frames may follow at once. */
function quote(bytes: Buffer): string {
  const text = bytes.subarray(0, maxQuotedBytes).toString('utf8');
  const line = /^[^\0-\x08\n-\x1f\x7f]+/.exec(text)?.[0] ?? text.slice(0, 1);
  return `"${printableText(line)}${bytes.length > maxQuotedBytes && line.length === text.length ? '…' : ''}"`;
}
