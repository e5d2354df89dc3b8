/** The least that a caller needs to match answers with calls. */
export class PendingCalls {
  #pending = new Map();
  #next = 0;

  /**
   * Makes a call: `send` gets its id.
   * @param {(id: number) => void} send
   * @returns {Promise<any>}
   */
  call(send) {
    return new Promise((resolve) => {
      const id = this.#next++;
      this.#pending.set(id, resolve);
      send(id);
    });
  }

  /** @param {number} id @param {unknown} result */
  settle(id, result) {
    const resolve = this.#pending.get(id);
    this.#pending.delete(id);
    resolve?.(result);
  }
}
