import { customRandom, urlAlphabet } from 'nanoid';
import type { Random } from '../interfaces/platform.js';

/** Makes ids of 21 characters from the platform's randomness (126 bits), so that a simulation repeats them. */
export function idFactory(random: Random): () => string {
  return customRandom(urlAlphabet, 21, (length) => random.bytes(length));
}
