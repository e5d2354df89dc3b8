/** Slots of the cache. A message type has a handful of keys; a peer may send any number of them. */
const slots = 512;
/** Longer keys are not worth a place. */
const longestKeyBytes = 32;

/** A key that was vetted: ASCII, not `__proto__`. */
export interface CachedKey {
  readonly text: string;
  /** Slot of the key that came after this one the last time. */
  next: number;
}

/**
 * The map keys that were seen lately, so that a key is checked and made a string once, not in every message.
 *
 * Bounded whatever a peer sends: each key has one slot and takes it from the key before it, so a key that is not found costs no more
 * than without a cache, and there is nothing to flood. Keys mostly follow one another as in the message before: each
 * knows the slot of its successor, which is then only compared.
 */
export class KeyCache {
  readonly #slots: (CachedKey | undefined)[] = [];
  readonly #beginning: CachedKey = { text: '', next: 0 };
  #last = this.#beginning;

  constructor() {
    for (let slot = 0; slot < slots; slot += 1) this.#slots.push(undefined);
  }

  /** Whether a key of so many bytes may be kept. */
  static takes(length: number): boolean {
    return length > 0 && length <= longestKeyBytes;
  }

  /** A new frame begins. */
  rewind(): void {
    this.#last = this.#beginning;
  }

  /** @returns the key that these bytes are, or undefined if it is not in the cache. */
  find(bytes: Uint8Array, from: number, length: number): string | undefined {
    const guess = this.#slots[this.#last.next];
    if (guess !== undefined && isSame(guess.text, bytes, from, length)) {
      this.#last = guess;
      return guess.text;
    }
    if (!KeyCache.takes(length)) return undefined;
    const slot = slotOf(bytes, from, length);
    const found = this.#slots[slot];
    if (found === undefined || !isSame(found.text, bytes, from, length)) return undefined;
    this.#last.next = slot;
    this.#last = found;
    return found.text;
  }

  /** Keeps a key that was vetted and found to be ASCII. @param text must not be a part of a larger string, which it would pin. */
  keep(text: string, bytes: Uint8Array, from: number, length: number): void {
    const slot = slotOf(bytes, from, length);
    const entry = { text, next: slot };
    this.#slots[slot] = entry;
    this.#last.next = slot;
    this.#last = entry;
  }
}

function isSame(text: string, bytes: Uint8Array, from: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let index = 0; index < length; index += 1) {
    if (text.charCodeAt(index) !== bytes[from + index]) return false;
  }
  return true;
}

function slotOf(bytes: Uint8Array, from: number, length: number): number {
  const first = bytes[from] as number;
  const middle = bytes[from + (length >> 1)] as number;
  const last = bytes[from + length - 1] as number;
  return (first * 31 + middle * 7 + last * 113 + length * 17) & (slots - 1);
}
