import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';

/** The buffers that were given to a connection: data in them may be sent from where it lies. */
export class HandedOver {
  readonly #buffers = new WeakSet<ArrayBufferLike>();

  /** @throws INVALID_ARGUMENT for what is no ArrayBuffer. */
  add(buffers: readonly ArrayBuffer[]): void {
    for (const buffer of buffers) {
      if (!(buffer instanceof ArrayBuffer)) {
        throw new WorkerRuntimeError('INVALID_ARGUMENT', 'transfer takes ArrayBuffers; of a Uint8Array give the buffer, as [data.buffer].', {
          mayHaveRun: false,
        });
      }
      this.#buffers.add(buffer);
    }
  }

  /** Whether the data lies in such a buffer. */
  readonly has = (bytes: Uint8Array): boolean => this.#buffers.has(bytes.buffer);
}
