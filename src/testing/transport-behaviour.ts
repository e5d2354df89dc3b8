import type { TransportBench } from './transport-bench.js';

/** One thing that every transport does. Uses nothing but the contract of `Connection` and `Transport`, and never asks which transport it has. */
export interface TransportBehaviour {
  /** The behaviour, as a sentence without its subject. */
  readonly title: string;
  /** Rejects with a sentence if the transport does not behave so. Promises that hold at every moment are checked beside it. */
  run(bench: TransportBench): Promise<void>;
}

/** @throws Error with `sentence` if it does not hold. */
export function expectThat(holds: boolean, sentence: string): void {
  if (!holds) throw new Error(sentence);
}

/** @throws Error if the code of an end is none of those. */
export function expectCode(who: string, code: string | undefined, ...allowed: readonly string[]): void {
  if (code === undefined || !allowed.includes(code)) throw new Error(`${who} ended with ${code}; expected was ${allowed.join(' or ')}.`);
}
