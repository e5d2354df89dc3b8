import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';

/**
 * The two functions of a test runner that the suites of this library use: those of vitest, jest, node:test and bun fit as they are, and mocha's with
 * `test: it`.
 */
export interface TestRunner {
  /** Groups the tests that `define` registers. */
  readonly describe: (name: string, define: () => void) => unknown;
  /**
   * Registers a test, which fails when its promise rejects. The suites hand over their time limit last, where vitest, jest and bun look for it. The
   * runner's context, where it gives one, is asked for `skip`.
   */
  readonly test: (name: string, run: (...context: unknown[]) => Promise<void>, timeoutMs: number) => unknown;
}

/**
 * The runner that was given, else the global one.
 * @throws WorkerRuntimeError `INVALID_ARGUMENT` if there is neither.
 */
export function findTestRunner(given: TestRunner | undefined): TestRunner {
  if (given !== undefined) return given;
  const { describe, test } = globalThis as Partial<TestRunner>;
  if (typeof describe === 'function' && typeof test === 'function') return { describe, test };
  throw new WorkerRuntimeError(
    'INVALID_ARGUMENT',
    'There is no test runner: `describe` and `test` are no globals here. Import them and pass them as the option `runner: { describe, test }`.',
  );
}

/** Tells the runner that a test does not apply. A runner that cannot skip from within a test counts it as passed. */
export function skipTest(context: readonly unknown[], reason: string): void {
  // An object or, in vitest, a function with properties.
  const first = context[0] as { readonly skip?: (reason: string) => void } | null | undefined;
  if (typeof first?.skip === 'function') first.skip(reason);
}
