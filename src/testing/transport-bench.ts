import type { Connection, Transport, TransportListener } from '../interfaces/transport.js';
import { RecordedConnection } from './recorded-connection.js';
import type { TransportFixture, TransportPair } from './transport-fixture.js';
import { numberedFrame } from './transport-frames.js';

/** A transport that takes more than this for a peer that reads nothing has no bound. */
const mostUnreadBytes = 64 * 1024 * 1024;
const unreadFrame = numberedFrame(65_536);
const message = numberedFrame(1);
/** How many round trips over another connection are long enough for whatever was under way to arrive. */
const settlingRoundTrips = 10;

/** A pair with both ends recorded. */
export interface RecordedPair {
  readonly left: RecordedConnection;
  readonly right: RecordedConnection;
  readonly pair: TransportPair;
}

/** Thrown where a transport has not what a behaviour is about. */
export class NotApplicable extends Error {}

/** What one behaviour is tried with: makes pairs, lets time pass, and cleans up. */
export class TransportBench {
  readonly fixture: TransportFixture;
  readonly #address: string;
  readonly #recorded: RecordedConnection[] = [];
  readonly #listeners: TransportListener[] = [];
  #openListener: Promise<TransportListener> | undefined;
  #awaited: ((connection: Connection) => void) | undefined;
  #messengers: Promise<RecordedPair> | undefined;
  #roundTrips = 0;
  #reportViolation: () => void = () => {};

  constructor(fixture: TransportFixture, address: string) {
    this.fixture = fixture;
    this.#address = fixture.address ?? address;
  }

  /** Runs a behaviour. A promise that is broken meanwhile ends it at once: it might wait for ever for what a broken transport does not do. */
  async run(behaviour: { run(bench: TransportBench): Promise<void> }): Promise<void> {
    const violation = new Promise<never>((_resolve, reject) => {
      this.#reportViolation = () => reject(new Error('The connection broke a promise.'));
    });
    violation.catch(() => {});
    const running = behaviour.run(this);
    running.catch(() => {});
    await Promise.race([running, violation]);
  }

  /** A pair, not started. */
  async open(): Promise<RecordedPair> {
    const pair = await (this.fixture.open?.() ?? this.#dialPair());
    const left = this.record('left', pair.left);
    const right = this.record('right', pair.right);
    RecordedConnection.join(left, right);
    return { left, right, pair };
  }

  /** A pair, both ends started. */
  async openAndStart(): Promise<RecordedPair> {
    const opened = await this.open();
    opened.left.start();
    opened.right.start();
    return opened;
  }

  /** A pair whose right end can be killed. */
  async openKillable(): Promise<RecordedPair & { kill(): Promise<void> }> {
    const opened = await this.open();
    const { pair } = opened;
    if (pair.kill === undefined) throw new NotApplicable('The pairs of this factory have no `kill`.');
    return { ...opened, kill: async () => pair.kill?.() };
  }

  /** Records a connection; it is ended with the test. */
  record(name: string, connection: Connection): RecordedConnection {
    const recorded = new RecordedConnection(name, connection);
    recorded.onViolation = () => this.#reportViolation();
    this.#recorded.push(recorded);
    return recorded;
  }

  /** The transport under test. */
  get transport(): Transport {
    if (this.fixture.transport === undefined) throw new NotApplicable('This factory makes connections, no transport that could be dialled.');
    return this.fixture.transport;
  }

  /** Listens; the listener is closed with the test. */
  async listen(accept: (connection: Connection) => void, address = this.#address): Promise<TransportListener> {
    const listener = await this.transport.listen(address, accept);
    this.#listeners.push(listener);
    return listener;
  }

  /** Lets one message go to and fro over a connection of its own. The suite has no clock: this is how it lets time pass, however slow the transport is. */
  async roundTrip(): Promise<void> {
    this.#messengers ??= this.#openMessengers();
    const { left } = await this.#messengers;
    this.#roundTrips += 1;
    const target = this.#roundTrips * message.length;
    left.send(message);
    await left.until(() => left.receivedBytes >= target || left.ends.length > 0);
    if (left.receivedBytes < target) throw new Error(`A connection that nobody closed has ended: ${left.ends[0]?.message}`);
  }

  /** Waits until whatever was under way has arrived. */
  async settle(): Promise<void> {
    for (let trip = 0; trip < settlingRoundTrips; trip += 1) await this.roundTrip();
  }

  /** Sends to an end that does not read, until the connection takes no more and stays so. */
  async fill({ left, right }: RecordedPair): Promise<void> {
    for (;;) {
      while (left.send(unreadFrame)) {
        if (left.sentBytes > mostUnreadBytes) throw new Error(`send has never returned false for ${left.sentBytes} bytes that nobody reads.`);
      }
      const before = left.writableCalls;
      await this.settle();
      if (left.ends.length > 0) throw new Error(`The connection ended while the other side did not read: ${left.ends[0]?.message}`);
      if (left.writableCalls === before) return;
      if (right.receivedBytes > 0) throw new Error('Something was delivered to a connection that was not started.');
    }
  }

  /** Fills the connection, and then gives it more than it can have handed on. */
  async overfill(opened: RecordedPair): Promise<void> {
    await this.fill(opened);
    for (let count = 0; count < 8; count += 1) opened.left.send(unreadFrame);
  }

  /** Sends all frames, as fast as the connection takes them. */
  async pump(from: RecordedConnection, frames: Iterable<Uint8Array>): Promise<void> {
    for (const frame of frames) {
      const before = from.writableCalls;
      if (!from.send(frame)) await from.until(() => from.writableCalls > before || from.ends.length > 0);
      if (from.ends.length > 0) throw new Error(`The connection ended while it was written to: ${from.ends[0]?.message}`);
    }
  }

  /** Ends everything that was opened and checks that it ended as it should. */
  async finish(): Promise<void> {
    const messengers = await this.#messengers;
    await this.#end(this.#recorded.filter((recorded) => recorded !== messengers?.left && recorded !== messengers?.right));
    if (messengers !== undefined) await this.settle();
    await this.#end(this.#recorded);
    await this.#release();
    const violations = this.#violations();
    if (violations.length > 0) throw new Error(violations.join('\n'));
  }

  /** Ends everything after a failure, and waits for nothing that a broken transport may never do. */
  async giveUp(): Promise<void> {
    for (const recorded of this.#recorded) recorded.close({ abort: true });
    await this.#release().catch(() => {});
  }

  /** The error of a behaviour, with the promises that were broken meanwhile: they may be its cause. */
  explain(error: unknown): unknown {
    const violations = this.#violations();
    if (violations.length === 0 || !(error instanceof Error)) return error;
    return new Error([...violations, error.message].join('\n'), { cause: error });
  }

  #violations(): string[] {
    return this.#recorded.flatMap((recorded) => recorded.violations);
  }

  async #end(recorded: readonly RecordedConnection[]): Promise<void> {
    for (const one of recorded) one.close({ abort: true });
    for (const one of recorded) if (!one.started) one.start();
    for (const one of recorded) await one.ended();
  }

  async #release(): Promise<void> {
    for (const listener of this.#listeners) await listener.close();
    await this.fixture.dispose?.();
  }

  async #openMessengers(): Promise<RecordedPair> {
    const opened = await this.openAndStart();
    const { right } = opened;
    // Whole messages are answered, however their bytes were cut on the way.
    right.onData = () => {
      while (right.sentBytes + message.length <= right.receivedBytes) right.send(message);
    };
    return opened;
  }

  /** One at a time: what is accepted next belongs to what was dialled last. */
  async #dialPair(): Promise<TransportPair> {
    this.#openListener ??= this.listen((connection) => this.#awaited?.(connection));
    const listener = await this.#openListener;
    const accepted = new Promise<Connection>((resolve) => {
      this.#awaited = resolve;
    });
    const left = await this.transport.dial(listener.address);
    return { left, right: await accepted };
  }
}
