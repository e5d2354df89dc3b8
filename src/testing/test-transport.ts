import { findTestRunner, skipTest, type TestRunner } from './test-runner.js';
import type { TransportBehaviour } from './transport-behaviour.js';
import { NotApplicable, TransportBench } from './transport-bench.js';
import { dataBehaviours } from './transport-data-behaviours.js';
import { deathBehaviours } from './transport-death-behaviours.js';
import { dialBehaviours } from './transport-dial-behaviours.js';
import { endBehaviours } from './transport-end-behaviours.js';
import { asFixture, type TransportFactory } from './transport-fixture.js';
import { pressureBehaviours } from './transport-pressure-behaviours.js';

/** Options of {@link testTransport}. */
export interface TestTransportOptions {
  /** Where to register the tests. Default the globals `describe` and `test`. */
  readonly runner?: TestRunner;
  /**
   * Where a transport listens. Default an empty string, which a transport takes for any free address if it knows of such; otherwise name one here, as
   * `tls://127.0.0.1:0`. Diallers use what the listener then says is its address.
   */
  readonly address?: string;
  /** Time limit of each test. Default 10,000 ms. It must be well above the bound of a connection's `close`, which some tests wait for. */
  readonly timeoutMs?: number;
}

const groups: readonly (readonly [name: string, behaviours: readonly TransportBehaviour[]])[] = [
  ['data', dataBehaviours],
  ['pressure', pressureBehaviours],
  ['end', endBehaviours],
  ['death of the peer', deathBehaviours],
  ['dial and listen', dialBehaviours],
];

/**
 * Registers the conformance suite for a transport: what sessions rely on, and what no transport may do. A transport that passes carries workers.
 *
 * ```ts
 * import { describe, test } from 'vitest';
 * testTransport('tls', () => tlsTransport(options), { runner: { describe, test }, address: 'tls://127.0.0.1:0' });
 *
 * // Connections without a transport, or one whose peer can be killed:
 * testTransport('pipe', () => ({
 *   open: () => {
 *     const [left, right, cable] = makePipe();
 *     return { left, right, kill: () => cable.cut() };
 *   },
 * }));
 * ```
 *
 * - The suite uses nothing but `Connection` and `Transport`, whose documentation is the contract, and sends whole frames only, as a session does.
 * - It never asks which transport it has. What one can honestly not do it declares as {@link TransportFixture.capabilities}; the tests that
 *   are about it are skipped, and so are those for which the factory offers nothing (no transport to dial, no `kill`).
 * - It has no clock of its own: it lets time pass by messages that go to and fro over a second connection. What never happens is
 *   ended by the time limit of the test. (A runner that ends when nothing keeps the event loop alive, as node:test, needs connections that do.)
 * - During every test: exactly one `onClose` and nothing after it, no callback from within a method, `onWritable` only after a send that said false, no byte
 *   that was not sent, and no exception.
 *
 * @param name - for the titles of the tests; nothing depends on it.
 * @param factory - called for every test, so that none can disturb another.
 * @throws WorkerRuntimeError `INVALID_ARGUMENT` if there is no test runner.
 */
export function testTransport(name: string, factory: TransportFactory, options: TestTransportOptions = {}): void {
  const { address = '', timeoutMs = 10_000 } = options;
  const runner = findTestRunner(options.runner);
  runner.describe(`transport ${name}`, () => {
    for (const [group, behaviours] of groups) {
      runner.describe(group, () => {
        for (const behaviour of behaviours) {
          // Rest parameters: a runner that counts them must not take the first for a callback.
          runner.test(behaviour.title, (...context) => tryBehaviour(behaviour, factory, address, context), timeoutMs);
        }
      });
    }
  });
}

async function tryBehaviour(behaviour: TransportBehaviour, factory: TransportFactory, address: string, context: readonly unknown[]): Promise<void> {
  const bench = new TransportBench(asFixture(await factory()), address);
  try {
    await bench.run(behaviour);
  } catch (error) {
    await bench.giveUp();
    if (error instanceof NotApplicable) return skipTest(context, error.message);
    throw bench.explain(error);
  }
  await bench.finish();
}
