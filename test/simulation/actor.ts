import { isWorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { SessionCallOptions } from '../../src/session/call-options.js';
import type { CallStream } from '../../src/session/call-stream.js';
import type { IncomingCall } from '../../src/session/incoming-call.js';
import type { Session } from '../../src/session/session.js';
import type { Entry } from './ledger.js';
import type { Task, World } from './world.js';

const plainActs = ['return', 'return', 'return', 'throw', 'slow', 'slow', 'stubborn', 'progress', 'nested', 'big', 'unknown'];
const streamActs = ['items', 'items', 'careless-items', 'echo', 'slow', 'throw'];
const inputActs = ['read', 'read', 'read-broken-input', 'ignore-input'];

/** One side of a run: makes calls, reads streams, changes its mind, and notes every outcome. */
export class Actor {
  readonly #world: World;
  readonly #side: 'host' | 'peer';
  readonly #session: () => Session;
  readonly #takeBack = new Set<() => void>();
  /** Loops that read streams, and promises of senders: all must end. */
  pendingWork = 0;
  /** Whether one-way messages were refused and nobody has said since that they may be sent again. */
  waitsForOneWayCredit = false;

  constructor(world: World, side: 'host' | 'peer', session: () => Session) {
    this.#world = world;
    this.#side = side;
    this.#session = session;
  }

  /** Makes a random call. @param parent the call in the course of which it is made. */
  call(parent?: IncomingCall): Promise<unknown> {
    const { world } = { world: this.#world };
    const withInput = parent === undefined && world.chance(0.15);
    const act = withInput ? world.pick(inputActs) : world.pick(plainActs);
    const timeoutMs = world.pick([0, 50, 400, 3_000]) + (parent === undefined ? 0 : 20);
    const entry = this.#open(act, timeoutMs, parent);
    const controller = new AbortController();
    const options: SessionCallOptions = {
      timeoutMs,
      signal: controller.signal,
      onProgress: ({ message }) => world.trace(`${this.#side} call ${entry.n} progress ${message}`),
      ...(parent === undefined ? {} : { parent }),
      ...(withInput ? { input: this.#input(entry, act.includes('broken')) } : {}),
    };
    const outcome = this.#session().call('do', this.#task(entry, act), options);
    this.#watch(entry, outcome);
    if (parent === undefined && world.chance(0.25)) this.#mayTakeBack(entry, () => controller.abort(`call ${entry.n} is not wanted`));
    return outcome;
  }

  /** Starts a random stream and a reader of some temperament. */
  stream(): void {
    const world = this.#world;
    const act = world.pick(streamActs);
    const timeoutMs = world.pick([0, 0, 3_000]);
    const idleTimeoutMs = world.pick([0, 0, 2_000]);
    const entry = this.#open(act, timeoutMs, undefined, idleTimeoutMs > 0);
    let stream: CallStream;
    try {
      stream = this.#session().stream('do', this.#task(entry, act), {
        timeoutMs,
        idleTimeoutMs,
        ...(act === 'echo' ? { input: this.#input(entry, false) } : {}),
      });
    } catch (error) {
      this.#world.trace(`${this.#side} stream ${entry.n} refused`);
      return world.ledger.reject(entry, error);
    }
    this.#watch(entry, stream.result);
    if (world.chance(0.2)) {
      entry.unread = true;
      this.#mayTakeBack(entry, () => stream.cancel(`stream ${entry.n} is not wanted`));
    } else void this.#read(stream, entry);
  }

  notify(): void {
    const world = this.#world;
    const session = this.#session();
    const count = world.between(1, 30);
    let sent = 0;
    while (sent < count && session.notify('note', 'x'.repeat(world.between(0, 2_000)))) sent += 1;
    if (sent < count && session.end === undefined) this.waitsForOneWayCredit = true;
    world.trace(`${this.#side} sent ${sent} of ${count} one-way messages`);
  }

  /** Takes one of the calls back that may be taken back. */
  changeMind(): void {
    const [takeBack] = this.#takeBack;
    if (takeBack === undefined) return;
    this.#takeBack.delete(takeBack);
    takeBack();
  }

  #task(entry: Entry, act: string): Task {
    const world = this.#world;
    return {
      n: entry.n,
      act: entry.act.startsWith('nested:') ? `nested:${act}` : act,
      ms: world.between(0, 300),
      count: world.between(1, 40),
      bytes: world.pick([5, 50, 500, 6_000, 40_000]),
    };
  }

  #open(act: string, timeoutMs: number, parent: IncomingCall | undefined, hasIdleLimit = false): Entry {
    const own = timeoutMs === 0 ? Number.POSITIVE_INFINITY : this.#world.clock.now() + timeoutMs;
    const entry = this.#world.ledger.open(
      this.#side,
      parent === undefined ? act : `nested:${act}`,
      Math.min(own, parent?.deadlineAt ?? own),
      hasIdleLimit,
    );
    this.#world.trace(`${this.#side} makes call ${entry.n}: ${entry.act}, timeoutMs ${timeoutMs}`);
    return entry;
  }

  #watch(entry: Entry, outcome: Promise<unknown>): void {
    outcome.then(
      (value) => {
        this.#world.trace(`${this.#side} call ${entry.n} succeeded`);
        this.#world.ledger.resolve(entry, value);
      },
      (error: unknown) => {
        const text = isWorkerRuntimeError(error) ? `${error.code}, mayHaveRun ${error.mayHaveRun}` : String(error);
        this.#world.trace(`${this.#side} call ${entry.n} failed: ${text}`);
        this.#world.ledger.reject(entry, error);
      },
    );
  }

  #mayTakeBack(entry: Entry, takeBack: () => void): void {
    this.#takeBack.add(() => {
      if (entry.outcome !== undefined) return;
      this.#world.trace(`${this.#side} takes call ${entry.n} back`);
      entry.cancelledAt = this.#world.clock.now();
      takeBack();
    });
  }

  async *#input(entry: Entry, broken: boolean): AsyncGenerator<unknown> {
    const world = this.#world;
    const count = world.between(0, 60);
    const bytes = world.pick([10, 200, 5_000, 30_000]);
    this.pendingWork += 1;
    try {
      for (let i = 0; i < count; i += 1) {
        if (i % 10 === 9) await world.delay(world.between(0, 50));
        if (broken && i === 5) throw new Error('the input broke');
        yield { n: entry.n, i, data: 'i'.repeat(bytes) };
      }
    } finally {
      this.pendingWork -= 1;
    }
  }

  async #read(stream: CallStream, entry: Entry): Promise<void> {
    const world = this.#world;
    const pauseMs = world.pick([0, 0, 5, 60]);
    const leaveAfter = world.chance(0.2) ? world.between(0, 10) : Number.POSITIVE_INFINITY;
    let got = 0;
    this.pendingWork += 1;
    try {
      for await (const item of stream) {
        const { n, i } = item as { n: number; i: number };
        if (n !== entry.n || i !== got) world.ledger.violate(`item ${n}/${i} in stream ${entry.n} where ${got} was due`);
        got += 1;
        if (got > leaveAfter) {
          if (entry.outcome === undefined) entry.cancelledAt = world.clock.now();
          world.trace(`${this.#side} leaves stream ${entry.n}`);
          break;
        }
        if (pauseMs > 0) await world.delay(pauseMs);
      }
      world.trace(`${this.#side} read ${got} items of stream ${entry.n}`);
      const result = await stream.result.catch(() => undefined);
      const sent = (result as { sent?: number } | undefined)?.sent;
      if (got <= leaveAfter && sent !== undefined && sent !== got) world.ledger.violate(`stream ${entry.n} sent ${sent} items, ${got} were read`);
    } catch (error) {
      world.trace(`${this.#side} reading stream ${entry.n} failed: ${isWorkerRuntimeError(error) ? error.code : String(error)}`);
    } finally {
      this.pendingWork -= 1;
    }
  }
}
