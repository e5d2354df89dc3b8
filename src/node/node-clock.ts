import type { Clock, Timer } from '../interfaces/platform.js';

/** The longest delay that setTimeout takes; it turns a longer one into one millisecond. */
const longestTimeoutMs = 2_147_483_647;

/**
 * The clock of a Node process. `endOfTurn` gathers its callbacks in one queue behind one setImmediate: that runs in the same iteration of
 * the event loop, after every socket that was readable has been read and after the promise callbacks that followed, so that what a
 * turn sends leaves together. nextTick and queueMicrotask run after each single read, and would send many small writes.
 */
export function nodeClock(): Clock {
  let queue: (() => void)[] = [];
  const runQueue = (): void => {
    const callbacks = queue;
    queue = [];
    let next = 0;
    try {
      while (next < callbacks.length) callbacks[next++]!();
    } finally {
      // One that throws surfaces as an uncaught exception, as from any callback; the others of the turn still run, in the next one.
      if (next < callbacks.length) {
        if (queue.length === 0) setImmediate(runQueue);
        queue = [...callbacks.slice(next), ...queue];
      }
    }
  };
  return {
    now: () => performance.now(),
    wallTime: () => Date.now(),
    setTimer: (delayMs, callback) => new NodeTimer(delayMs, callback),
    endOfTurn(callback) {
      if (queue.push(callback) === 1) setImmediate(runQueue);
    },
    keepAlive() {
      const handle = setInterval(() => {}, longestTimeoutMs);
      return { cancel: () => clearInterval(handle) };
    },
  };
}

class NodeTimer implements Timer {
  readonly #callback: () => void;
  readonly #dueAt: number;
  #timeout: NodeJS.Timeout | undefined;

  constructor(delayMs: number, callback: () => void) {
    this.#callback = callback;
    // A delay that is not a number fires at once: a limit that was computed wrongly must not become one that never comes.
    this.#dueAt = performance.now() + Math.max(delayMs, 0);
    this.#arm(delayMs);
  }

  cancel(): void {
    clearTimeout(this.#timeout);
    this.#timeout = undefined;
  }

  #arm(delayMs: number): void {
    this.#timeout = setTimeout(() => this.#fire(), Math.max(0, Math.min(Math.ceil(delayMs), longestTimeoutMs)));
    this.#timeout.unref();
  }

  #fire(): void {
    // setTimeout counts whole milliseconds and may fire up to one early; and a long delay is waited for in parts.
    const leftMs = this.#dueAt - performance.now();
    if (leftMs > 0) {
      this.#arm(leftMs);
    } else {
      this.#timeout = undefined;
      this.#callback();
    }
  }
}
