import { writeShortText } from './text-writer.js';

/** Slots of the cache, and the longest key that it keeps, in UTF-16 units. */
const slots = 256;
const longestKey = 24;

interface EncodedKey {
  readonly text: string;
  /** The key as a string of MessagePack. */
  readonly bytes: Uint8Array;
  /** Slot of the key that was written after this one the last time. */
  next: number;
}

/**
 * The map keys that were written lately, as bytes. Bounded: each key has one slot and takes it from the key before it. As in
 * the cache of keys that are read, each knows the slot of its successor.
 */
export class EncodedKeys {
  readonly #slots: (EncodedKey | undefined)[] = [];
  readonly #scratch = new Uint8Array(1 + 3 * longestKey);
  readonly #beginning: EncodedKey = { text: '', bytes: this.#scratch, next: 0 };
  #last = this.#beginning;

  constructor() {
    for (let slot = 0; slot < slots; slot += 1) this.#slots.push(undefined);
  }

  /** A new frame begins. */
  rewind(): void {
    this.#last = this.#beginning;
  }

  /** Writes a key, for which there is room. @returns where it ends; `at` if it is not for this cache to write. */
  write(key: string, bytes: Uint8Array, at: number): number {
    const guess = this.#slots[this.#last.next];
    const entry = guess !== undefined && guess.text === key ? guess : this.#look(key);
    if (entry === undefined) return at;
    this.#last = entry;
    const encoded = entry.bytes;
    const length = encoded.length;
    for (let index = 0; index < length; index += 1) bytes[at + index] = encoded[index] as number;
    return at + length;
  }

  #look(key: string): EncodedKey | undefined {
    const { length } = key;
    if (length === 0 || length > longestKey) return undefined;
    const slot = (key.charCodeAt(0) * 31 + key.charCodeAt(length >> 1) * 7 + key.charCodeAt(length - 1) * 113 + length * 17) & (slots - 1);
    this.#last.next = slot;
    const found = this.#slots[slot];
    if (found !== undefined && found.text === key) return found;
    const end = writeShortText(key, this.#scratch, 1);
    // Only the short form; longer keys and halves of surrogate pairs take the usual way.
    if (end < 0 || end > 32) return undefined;
    this.#scratch[0] = 0xa0 | (end - 1);
    const entry = { text: key, bytes: this.#scratch.slice(0, end), next: slot };
    this.#slots[slot] = entry;
    return entry;
  }
}
