/** The least that a caller needs to match answers with calls. */
export class PendingCalls {
  readonly #pending = new Map<number, (result: unknown) => void>();
  #next = 0;

  /** Makes a call: `send` gets its id. */
  call(send: (id: number) => void): Promise<unknown> {
    return new Promise((resolve) => {
      const id = this.#next++;
      this.#pending.set(id, resolve);
      send(id);
    });
  }

  settle(id: number, result: unknown): void {
    const resolve = this.#pending.get(id);
    this.#pending.delete(id);
    resolve?.(result);
  }
}
