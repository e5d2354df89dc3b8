import { Duplex, type Readable, type Writable } from 'node:stream';

type WriteCallback = (error?: Error | null) => void;

/**
 * One duplex out of a way in and a way out, as standard input and output are. Ends and errors of either are those of the whole; a batch that is written to
 * it reaches the way out as one.
 *
 * The methods of `writable` are taken as they are now: what somebody puts in their place afterwards is not called.
 */
export class JoinedStreams extends Duplex {
  readonly #readable: Readable;
  readonly #writable: Writable;
  readonly #writeOut: (chunk: Uint8Array, callback?: WriteCallback) => boolean;
  readonly #endOut: (callback: () => void) => unknown;

  constructor(readable: Readable, writable: Writable) {
    super({ readableHighWaterMark: 65_536, writableHighWaterMark: 65_536 });
    this.#readable = readable;
    this.#writable = writable;
    this.#writeOut = writable.write.bind(writable);
    this.#endOut = writable.end.bind(writable);
    readable.pause();
    readable.on('data', (chunk: Uint8Array) => {
      if (!this.push(chunk)) readable.pause();
    });
    readable.on('end', () => this.push(null));
    readable.on('close', () => {
      if (!readable.readableEnded) this.destroy();
    });
    for (const stream of [readable, writable]) stream.on('error', (error: Error) => this.destroy(error));
  }

  override _read(): void {
    this.#readable.resume();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: WriteCallback): void {
    this.#writeOut(chunk, done);
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], done: WriteCallback): void {
    this.#writable.cork();
    chunks.forEach(({ chunk }, index) => {
      this.#writeOut(chunk, index === chunks.length - 1 ? done : undefined);
    });
    this.#writable.uncork();
  }

  override _final(done: () => void): void {
    this.#endOut(done);
  }

  override _destroy(error: Error | null, done: WriteCallback): void {
    this.#readable.destroy();
    this.#writable.destroy();
    done(error);
  }
}
