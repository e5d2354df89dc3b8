import { setTimeout as wait } from 'node:timers/promises';

/** Waits for `work`, whether it succeeds or fails, at most `timeoutMs`. */
export async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work, wait(timeoutMs, undefined, { signal: timer.signal })]).catch(() => {});
  timer.abort();
}
