import { createHash } from 'node:crypto';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { IncomingCall } from '../../src/session/incoming-call.js';
import type { SimulatedClock } from '../../src/testing/simulated-clock.js';
import { Ledger } from './ledger.js';

/** Chance, time, truth and trace of one run. */
export interface World {
  readonly clock: SimulatedClock;
  readonly ledger: Ledger;
  /** A number in [0, 1). */
  fraction(): number;
  /** An integer from `from` to `to`. */
  between(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
  trace(line: string): void;
  /** SHA-256 of the trace so far. */
  traceHash(): string;
  delay(ms: number): Promise<void>;
  /** Delays that have not passed: all other timers belong to the sessions and their connection. */
  pendingDelays: number;
  /** Handlers that wait, to be counted as leaks if they never end. */
  running: number;
}

export function createWorld(clock: SimulatedClock, fraction: () => number, onTrace: ((line: string) => void) | undefined): World {
  const hash = createHash('sha256');
  let lines = 0;
  const world: World = {
    clock,
    ledger: new Ledger(() => clock.now()),
    fraction,
    between: (from, to) => from + Math.floor(fraction() * (to - from + 1)),
    chance: (probability) => fraction() < probability,
    pick: (choices) => choices[Math.floor(fraction() * choices.length)] as (typeof choices)[number],
    trace(line) {
      lines += 1;
      const text = `${String(Math.round(clock.now() * 1_000) / 1_000).padStart(9)}  ${line}`;
      hash.update(`${text}\n`);
      onTrace?.(text);
    },
    traceHash: () => `${hash.copy().digest('hex')} (${lines} lines)`,
    delay: (ms) => {
      world.pendingDelays += 1;
      return new Promise((resolve) =>
        clock.setTimer(ms, () => {
          world.pendingDelays -= 1;
          resolve();
        }),
      );
    },
    pendingDelays: 0,
    running: 0,
  };
  return world;
}

/** What a caller asks of a handler. */
export interface Task {
  readonly n: number;
  readonly act: string;
  readonly ms: number;
  readonly count: number;
  readonly bytes: number;
}

/** Makes a nested call from within a handler; rejects like it. */
export type NestedCaller = (parent: IncomingCall) => Promise<unknown>;

/** Does what the task says, and enters into the ledger what really happened. */
export async function handle(world: World, call: IncomingCall, callBack: NestedCaller): Promise<void> {
  const task = call.params as Task;
  const entry = world.ledger.entries[task.n];
  if (entry === undefined) return world.ledger.violate(`a call arrived that nobody made: ${JSON.stringify(task)}`);
  entry.ran += 1;
  world.running += 1;
  try {
    const value = await perform(world, call, task, callBack);
    entry.ended = 'returned';
    call.respond(value);
  } catch (error) {
    entry.ended = 'threw';
    call.fail(error);
  } finally {
    world.running -= 1;
  }
}

async function perform(world: World, call: IncomingCall, task: Task, callBack: NestedCaller): Promise<unknown> {
  const { n } = task;
  switch (task.act.replace(/^nested:/, '')) {
    case 'return':
      return { n };
    case 'throw':
      throw new Error(`call ${n} failed`);
    case 'big':
      return { n, data: new Uint8Array(task.bytes * 40) };
    case 'slow':
      await Promise.race([world.delay(task.ms), new Promise((_resolve, reject) => call.onCancel(reject))]);
      return { n };
    case 'stubborn':
      await world.delay(task.ms * 3);
      return { n };
    case 'progress':
      for (let i = 1; i <= task.count; i += 1) {
        call.progress(i / task.count, `step ${i}`);
        if (i % 4 === 0) await world.delay(task.ms / task.count);
      }
      return { n };
    case 'nested':
      await callBack(call).catch((error: unknown) => {
        throw new Error(`the call nested in ${n} failed: ${String(error)}`);
      });
      return { n };
    case 'items':
      for (let i = 0; i < task.count; i += 1) {
        await call.sendItem({ n, i, data: 'x'.repeat(task.bytes) });
        if (i % 5 === 4) await world.delay(task.ms / task.count);
      }
      return { n, sent: task.count };
    case 'careless-items':
      for (let i = 0; i < task.count; i += 1) call.sendItem({ n, i, data: 'x'.repeat(task.bytes) })?.catch(() => {});
      return { n, sent: task.count };
    case 'read':
    case 'read-broken-input':
      return { n, got: await readInput(world, call, task, false) };
    case 'echo':
      return { n, sent: await readInput(world, call, task, true) };
    case 'ignore-input':
      await world.delay(task.ms);
      return { n };
    default:
      throw new WorkerRuntimeError('METHOD_NOT_FOUND', task.act);
  }
}

async function readInput(world: World, call: IncomingCall, task: Task, echo: boolean): Promise<number> {
  let got = 0;
  for await (const item of call.items) {
    if ((item as { i: number }).i !== got) world.ledger.violate(`input ${JSON.stringify(item).slice(0, 40)} of call ${task.n} where ${got} was due`);
    got += 1;
    if (echo) await call.sendItem({ ...(item as object), n: task.n });
    if (got % 6 === 0) await world.delay(task.ms / 20);
  }
  return got;
}
