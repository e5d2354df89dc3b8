import { afterEach, describe, expect, it } from 'vitest';
import type { CloseReason, Connection } from '../../src/interfaces/transport.js';

/** A live pair of connections that a transport made, neither of them started. */
export interface TransportPair {
  readonly left: Connection;
  readonly right: Connection;
  /** Releases whatever the connections themselves do not own, as a listener or a folder. Called after both have ended. */
  dispose?(): Promise<void>;
}

/** What the suite needs to know of a transport. */
export interface TransportUnderTest {
  /** Opens a fresh pair with a close time limit of `closeTimeoutMs`. */
  open(options: { readonly closeTimeoutMs: number }): Promise<TransportPair>;
}

/** Records everything that a connection tells, and checks the promises that hold at every moment. */
class Recorder {
  readonly chunks: Uint8Array[] = [];
  readonly ends: CloseReason[] = [];
  readonly #connection: Connection;
  readonly #waiters = new Set<() => void>();
  #inMethod = false;
  receivedBytes = 0;
  writable = 0;
  violations: string[] = [];
  onData: (chunk: Uint8Array) => void = () => {};

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  start(): this {
    this.#guarded(() =>
      this.#connection.start({
        onData: (chunk) => {
          this.#check('onData');
          this.chunks.push(chunk);
          this.receivedBytes += chunk.length;
          this.onData(chunk);
          this.#wake();
        },
        onWritable: () => {
          this.#check('onWritable');
          this.writable += 1;
          this.#wake();
        },
        onClose: (reason) => {
          this.#check('onClose');
          this.ends.push(reason);
          this.#wake();
        },
      }),
    );
    return this;
  }

  send(...chunks: Uint8Array[]): boolean {
    return this.#guarded(() => this.#connection.send(chunks));
  }

  close(options?: { abort?: boolean; reason?: string }): void {
    this.#guarded(() => this.#connection.close(options));
  }

  received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** Resolves as soon as `condition` holds; the test's own time limit ends a wait that never does. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  async ended(): Promise<CloseReason> {
    await this.until(() => this.ends.length > 0);
    return this.ends[0]!;
  }

  #guarded<T>(method: () => T): T {
    const outer = this.#inMethod;
    this.#inMethod = true;
    try {
      return method();
    } finally {
      this.#inMethod = outer;
    }
  }

  #check(callback: string): void {
    if (this.#inMethod) this.violations.push(`${callback} was called from within a method of the connection`);
    if (this.ends.length > 0) this.violations.push(`${callback} was called after onClose`);
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter();
    this.#waiters.clear();
  }
}

const turns = async (count = 5): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

const pattern = Uint8Array.from({ length: 502 }, (_, index) => index % 251);

/** Bytes whose place can be told: they count up to 250, beginning at `offset`. */
const numbered = (length: number, offset = 0): Buffer => Buffer.alloc(length, pattern.subarray(offset % 251, (offset % 251) + 251));

/**
 * The behaviours of every transport, whatever it moves bytes over. It uses nothing but the `Connection` contract, so one line proves a new one:
 * `transportBehaviour('tls', { open: … })`.
 */
export function transportBehaviour(name: string, transport: TransportUnderTest): void {
  const closeTimeoutMs = 150;

  describe(`transport ${name}`, () => {
    let cleanUp: (() => Promise<void>)[] = [];
    afterEach(async () => {
      const steps = cleanUp;
      cleanUp = [];
      for (const step of steps) await step();
    });

    async function open(): Promise<{ left: Recorder; right: Recorder; pair: TransportPair }> {
      const pair = await transport.open({ closeTimeoutMs });
      const left = new Recorder(pair.left);
      const right = new Recorder(pair.right);
      const started = new Set<Recorder>();
      for (const side of [left, right]) {
        const start = side.start.bind(side);
        side.start = () => {
          started.add(side);
          return start();
        };
      }
      cleanUp.push(async () => {
        for (const side of [left, right]) side.close({ abort: true });
        for (const side of [left, right]) if (!started.has(side)) side.start();
        await Promise.all([left.ended(), right.ended()]);
        await turns();
        await pair.dispose?.();
        for (const side of [left, right]) {
          expect(side.violations).toEqual([]);
          expect(side.ends).toHaveLength(1);
        }
      });
      return { left, right, pair };
    }

    async function openAndStart() {
      const opened = await open();
      opened.left.start();
      opened.right.start();
      return opened;
    }

    it('delivers bytes both ways', async () => {
      const { left, right } = await openAndStart();
      expect(left.send(numbered(5))).toBe(true);
      expect(right.send(numbered(7, 100))).toBe(true);
      await right.until(() => right.receivedBytes >= 5);
      await left.until(() => left.receivedBytes >= 7);
      expect(right.received()).toEqual(numbered(5));
      expect(left.received()).toEqual(numbered(7, 100));
    });

    it('sends the concatenation of the chunks, empty ones included', async () => {
      const { left, right } = await openAndStart();
      const whole = numbered(40_000);
      left.send(
        whole.subarray(0, 1),
        new Uint8Array(0),
        whole.subarray(1, 3),
        whole.subarray(3, 30_000),
        whole.subarray(30_000, 30_001),
        whole.subarray(30_001),
      );
      await right.until(() => right.receivedBytes >= whole.length);
      expect(right.received().equals(whole)).toBe(true);
    });

    it('keeps the order of many small sends', async () => {
      const { left, right } = await openAndStart();
      const sent: Buffer[] = [];
      for (let index = 0; index < 3_000; index += 1) {
        const bytes = numbered((index % 40) + 1, index);
        sent.push(bytes);
        left.send(bytes);
        if (index % 500 === 0) await turns(1);
      }
      const whole = Buffer.concat(sent);
      await right.until(() => right.receivedBytes >= whole.length);
      expect(right.received().equals(whole)).toBe(true);
    });

    it('carries eight mebibytes in one send', async () => {
      const { left, right } = await openAndStart();
      const whole = numbered(8 * 1_048_576);
      left.send(whole.subarray(0, 10), whole.subarray(10));
      await right.until(() => right.receivedBytes >= whole.length);
      expect(right.received().equals(whole)).toBe(true);
    });

    it('never changes a chunk after it was delivered', async () => {
      const { left, right } = await openAndStart();
      const copies: Uint8Array[] = [];
      right.onData = (chunk) => copies.push(chunk.slice());
      for (let index = 0; index < 200; index += 1) {
        left.send(numbered(1_000, index));
        await turns(1);
      }
      await right.until(() => right.receivedBytes >= 200_000);
      expect(Buffer.concat(right.chunks).equals(Buffer.concat(copies))).toBe(true);
    });

    it('keeps what arrives before start, the end included', async () => {
      const { left, right } = await open();
      left.start();
      left.send(numbered(2_000));
      await turns();
      left.close();
      await turns();
      right.start();
      expect((await right.ended()).code).toBe('PEER_CLOSED');
      expect(right.received()).toEqual(numbered(2_000));
    });

    it('answers from within onData without being called back from within send', async () => {
      const { left, right } = await openAndStart();
      right.onData = (chunk) => right.send(chunk);
      left.onData = () => {
        if (left.receivedBytes < 50) left.send(numbered(1));
      };
      left.send(numbered(1));
      await left.until(() => left.receivedBytes >= 50);
    });

    it('says false when the other side does not read, and onWritable when it does again', async () => {
      const { left, right } = await open();
      left.start();
      let accepted = 0;
      while (left.send(numbered(65_536))) {
        accepted += 65_536;
        if (accepted > 64 * 1_048_576) throw new Error('The connection takes any number of bytes.');
        await turns(1);
      }
      expect(left.writable).toBe(0);
      right.start();
      await left.until(() => left.writable > 0);
      expect(left.writable).toBe(1);
      await right.until(() => right.receivedBytes === accepted + 65_536);
    });

    it('accepts what a send that said false was given', async () => {
      const { left, right } = await openAndStart();
      const whole = numbered(1_048_576);
      for (let index = 0; index < 8; index += 1) left.send(whole);
      left.send(numbered(3));
      await right.until(() => right.receivedBytes === 8 * 1_048_576 + 3);
      expect(right.received().subarray(-3)).toEqual(numbered(3));
    });

    it('flushes before it closes, and both sides end in order', async () => {
      const { left, right } = await openAndStart();
      const whole = numbered(3 * 1_048_576);
      left.send(whole);
      left.close({ reason: 'The work is done.' });
      expect(await left.ended()).toEqual({ code: 'CLOSED', message: 'The work is done.' });
      expect((await right.ended()).code).toBe('PEER_CLOSED');
      expect(right.received().equals(whole)).toBe(true);
    });

    it('closes in order when both sides close at once, with bytes under way', async () => {
      const { left, right } = await openAndStart();
      left.send(numbered(100));
      right.send(numbered(100));
      left.close();
      right.close();
      expect((await left.ended()).code).toBe('CLOSED');
      expect((await right.ended()).code).toBe('CLOSED');
    });

    it('lets the other side read the last bytes although it is itself writing', async () => {
      const { left, right } = await openAndStart();
      const stop = setInterval(() => right.send(numbered(10_000)), 1);
      cleanUp.unshift(async () => clearInterval(stop));
      await left.until(() => left.receivedBytes > 0);
      left.send(numbered(321));
      left.close();
      expect((await right.ended()).code).toBe('PEER_CLOSED');
      clearInterval(stop);
      expect(right.receivedBytes).toBe(321);
      expect((await left.ended()).code).toBe('CLOSED');
    });

    it('delivers nothing more after its own close', async () => {
      const { left, right } = await openAndStart();
      right.send(numbered(10));
      left.close();
      await left.ended();
      expect(left.receivedBytes).toBe(0);
      await right.ended();
    });

    it('gives up a close after its time limit when the other side never reads', async () => {
      const { left } = await open();
      left.start();
      for (let index = 0; index < 64; index += 1) left.send(numbered(262_144));
      const before = performance.now();
      left.close();
      expect((await left.ended()).code).toBe('ABORTED');
      const tookMs = performance.now() - before;
      expect(tookMs).toBeGreaterThanOrEqual(closeTimeoutMs - 2);
      expect(tookMs).toBeLessThan(closeTimeoutMs + 2_000);
    });

    it('aborts at once, whatever is queued', async () => {
      const { left, right } = await open();
      left.start();
      for (let index = 0; index < 64; index += 1) left.send(numbered(262_144));
      const before = performance.now();
      left.close({ abort: true, reason: 'Enough.' });
      expect(left.ends).toEqual([]);
      expect(await left.ended()).toEqual({ code: 'ABORTED', message: 'Enough.' });
      expect(performance.now() - before).toBeLessThan(closeTimeoutMs);
      right.start();
      expect(['PEER_CLOSED', 'CONNECTION_LOST']).toContain((await right.ended()).code);
      expect(right.receivedBytes).toBeLessThan(64 * 262_144);
    });

    it('can be aborted while it closes', async () => {
      const { left } = await open();
      left.start();
      for (let index = 0; index < 64; index += 1) left.send(numbered(262_144));
      left.close();
      left.close({ abort: true });
      expect((await left.ended()).code).toBe('ABORTED');
    });

    it('takes a second close, and does nothing', async () => {
      const { left, right } = await openAndStart();
      left.close({ reason: 'first' });
      left.close({ reason: 'second' });
      expect((await left.ended()).message).toBe('first');
      left.close();
      left.close({ abort: true });
      await right.ended();
      await turns();
      expect(left.ends).toHaveLength(1);
    });

    it('sends nothing after close, and never throws', async () => {
      const { left, right } = await openAndStart();
      left.send(numbered(5));
      left.close();
      expect(left.send(numbered(9))).toBe(false);
      await left.ended();
      expect(left.send(numbered(9))).toBe(false);
      await right.ended();
      expect(right.receivedBytes).toBe(5);
    });

    it('can be closed from within onData and onClose', async () => {
      const { left, right } = await openAndStart();
      right.onData = () => right.close();
      left.send(numbered(5));
      left.send(numbered(5));
      expect((await right.ended()).code).toBe('CLOSED');
      expect((await left.ended()).code).toBe('PEER_CLOSED');
      right.close();
      expect(left.send(numbered(1))).toBe(false);
    });

    it('survives writing to a side that has died', async () => {
      const { left, right } = await openAndStart();
      right.close({ abort: true });
      for (let index = 0; index < 100 && left.ends.length === 0; index += 1) {
        left.send(numbered(10_000));
        await turns(1);
      }
      expect(['PEER_CLOSED', 'CONNECTION_LOST']).toContain((await left.ended()).code);
      expect((await right.ended()).code).toBe('ABORTED');
    });

    it('releases a writer that waits for onWritable when the other side dies', async () => {
      const { left, right } = await open();
      left.start();
      while (left.send(numbered(262_144))) await turns(1);
      right.close({ abort: true });
      expect(['PEER_CLOSED', 'CONNECTION_LOST']).toContain((await left.ended()).code);
      expect(left.writable).toBe(0);
    });

    it('reports an end that came before start', async () => {
      const { left, right } = await open();
      left.close();
      right.close({ abort: true });
      await turns(20);
      left.start();
      right.start();
      expect((await right.ended()).code).toBe('ABORTED');
      expect((await left.ended()).code).toBe('CLOSED');
    });

    it('refuses a second start', async () => {
      const { left, pair } = await openAndStart();
      expect(left.ends).toEqual([]);
      expect(() => pair.left.start({ onData() {}, onWritable() {}, onClose() {} })).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
    });

    it('names its peer and its frame limit', async () => {
      const { pair } = await openAndStart();
      expect(pair.left.peer.description).not.toBe('');
      expect(pair.left.maxFrameBytes).toBeGreaterThanOrEqual(4 * 1_048_576 + 4);
    });
  });
}
