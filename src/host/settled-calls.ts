/**
 * Remembers calls that were made with an idempotency key, so that the same key is not sent twice to one worker: whoever
 * repeats gets the first call's outcome. Bounded; the oldest is forgotten first. A call that failed is forgotten at once,
 * so that it can be repeated.
 */
export class SettledCalls {
  readonly #capacity: number;
  readonly #calls = new Map<string, Promise<unknown>>();

  /** @param capacity calls remembered, 1,000 by default. */
  constructor(capacity = 1_000) {
    this.#capacity = capacity;
  }

  once(key: string, call: () => Promise<unknown>): Promise<unknown> {
    const known = this.#calls.get(key);
    if (known !== undefined) return known;
    const made = call();
    this.#calls.set(key, made);
    made.catch(() => {
      if (this.#calls.get(key) === made) this.#calls.delete(key);
    });
    if (this.#calls.size > this.#capacity) this.#calls.delete(this.#calls.keys().next().value as string);
    return made;
  }
}
