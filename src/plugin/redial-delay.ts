import type { Random } from '../interfaces/platform.js';

/** How a worker that lost its host looks for it again. */
export interface RedialOptions {
  /** The longest first wait, milliseconds; the very first attempt is made at once. Default 100. */
  readonly initialDelayMs?: number | undefined;
  /** The longest wait between two attempts, milliseconds. Default 10,000. */
  readonly maxDelayMs?: number | undefined;
  /** How long it goes on without success before it gives up, milliseconds; 0 = for ever. Default 600,000. */
  readonly giveUpAfterMs?: number | undefined;
}

/**
 * The wait before an attempt: exponential backoff with full jitter, so that many workers whose host came back do not all dial at once.
 * @param attempt counts from 0, which is made at once.
 */
export function redialDelay(attempt: number, { initialDelayMs = 100, maxDelayMs = 10_000 }: RedialOptions, random: Random): number {
  if (attempt === 0) return 0;
  return random.fraction() * Math.min(maxDelayMs, initialDelayMs * 2 ** Math.min(attempt - 1, 30));
}
