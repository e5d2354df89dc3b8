interface HostTimers {
  readonly setImmediate?: (callback: () => void) => unknown;
  readonly setTimeout: (callback: () => void, delayMs: number) => unknown;
}

// Taken when this module is loaded: the fake timers of a test runner, installed later, must not hold up a simulated clock.
const { setImmediate, setTimeout } = globalThis as unknown as HostTimers;

/**
 * Calls `callback` in a later turn of the real event loop, when all promise callbacks that are due have run. The core has no timers, and
 * a simulated clock needs no more of the real one than this: time itself never comes from here.
 */
export function inNextHostTurn(callback: () => void): void {
  if (setImmediate !== undefined) setImmediate(callback);
  else setTimeout(callback, 0);
}

/** Resolves in a later turn of the real event loop. */
export function nextHostTurn(): Promise<void> {
  return new Promise(inNextHostTurn);
}
