import type { CloseReason, Connection } from '../interfaces/transport.js';
import { ExpectedBytes, joined } from './transport-frames.js';

const codesOfTransports: readonly CloseReason['code'][] = ['CLOSED', 'PEER_CLOSED', 'CONNECTION_LOST', 'ABORTED'];

/** One end of a pair under test. Records what its connection tells, and checks the promises that hold at every moment. */
export class RecordedConnection {
  readonly connection: Connection;
  readonly ends: CloseReason[] = [];
  /** Promises that were broken, as sentences. */
  readonly violations: string[] = [];
  /** Called with every chunk that has arrived. */
  onData: (chunk: Uint8Array) => void = () => {};
  /** Called when a promise was broken. */
  onViolation: () => void = () => {};
  /** Called once, at the end. */
  onClose: () => void = () => {};
  receivedBytes = 0;
  sentBytes = 0;
  writableCalls = 0;
  started = false;
  readonly #name: string;
  readonly #waiters = new Set<() => void>();
  /** What this end is still to receive. Nothing is known of it where the other end is not recorded. */
  readonly #expected = new ExpectedBytes();
  #other: RecordedConnection | undefined;
  #inMethod: 'start' | 'send' | 'close' | undefined;
  #closed = false;
  #waitsForWritable = false;

  constructor(name: string, connection: Connection) {
    this.#name = name;
    this.connection = connection;
  }

  /** Tells two ends that they belong together: what one sends the other must receive. */
  static join(left: RecordedConnection, right: RecordedConnection): void {
    left.#other = right;
    right.#other = left;
  }

  start(): void {
    this.started = true;
    this.#within('start', () =>
      this.connection.start({
        onData: (chunk) => this.#onData(chunk),
        onWritable: () => this.#onWritable(),
        onClose: (reason) => this.#onClose(reason),
      }),
    );
  }

  /** Sends whole frames, in any number of chunks. */
  send(...chunks: Uint8Array[]): boolean {
    const bytes = joined(chunks);
    const takes = !this.#closed && this.ends.length === 0;
    const endsBefore = this.ends.length;
    const unarrived = takes ? this.#other : undefined;
    if (unarrived !== undefined) unarrived.#expected.add(bytes);
    const answer = this.#within('send', () => this.connection.send(chunks));
    if (takes && this.ends.length === endsBefore) this.sentBytes += bytes.length;
    // An end that is reported from within send says that nothing was taken.
    else if (unarrived !== undefined) unarrived.#expected.removeLast();
    if (typeof answer !== 'boolean') this.#violated('send returned something that is neither true nor false');
    if (answer && (!takes || this.ends.length > 0)) this.#violated('send returned true although the connection was closed or had ended');
    this.#waitsForWritable = answer === false && takes;
    return answer === true;
  }

  close(options?: { readonly abort?: boolean; readonly reason?: string }): void {
    this.#closed = true;
    this.#within('close', () => this.connection.close(options));
  }

  /** How many bytes the other end has sent that have not arrived. */
  get missingBytes(): number {
    return this.#expected.length;
  }

  /** Resolves as soon as `condition` holds; the time limit of the test ends a wait that never does. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  /** Resolves when everything that the other end has sent has arrived. */
  receivedAll(): Promise<void> {
    return this.until(() => this.#expected.length === 0 || this.ends.length > 0).then(() => {
      if (this.#expected.length > 0) throw new Error(`${this.#name} ended (${this.ends[0]?.code}) ${this.#expected.length} bytes too early.`);
    });
  }

  /** Resolves with the reason when the connection has ended. */
  async ended(): Promise<CloseReason> {
    await this.until(() => this.ends.length > 0);
    return this.ends[0]!;
  }

  #onData(chunk: Uint8Array): void {
    this.#checkMoment('onData');
    if (this.#closed) this.#violated('onData was called after the own close');
    this.receivedBytes += chunk.length;
    if (this.#other !== undefined) {
      const before = this.receivedBytes - chunk.length;
      const differsAt = this.#expected.take(chunk);
      if (differsAt !== undefined) this.#violated(`byte ${before + differsAt} that arrived is not the one that was sent`);
    }
    this.onData(chunk);
    this.#wake();
  }

  #onWritable(): void {
    this.#checkMoment('onWritable');
    if (this.#closed) this.#violated('onWritable was called after the own close');
    else if (!this.#waitsForWritable) this.#violated('onWritable was called although the last send had not returned false');
    this.#waitsForWritable = false;
    this.writableCalls += 1;
    this.#wake();
  }

  #onClose(reason: CloseReason): void {
    // The one callback that may come from within a method: a send that takes nothing may report the end.
    if (this.#inMethod !== 'send') this.#checkMoment('onClose');
    else if (this.ends.length > 0) this.#violated('onClose was called a second time');
    if (!codesOfTransports.includes(reason?.code)) this.#violated(`onClose was given the code ${String(reason?.code)}`);
    if (typeof reason?.message !== 'string' || reason.message === '') this.#violated('onClose was given no message');
    if (!this.#closed && (reason?.code === 'CLOSED' || reason?.code === 'ABORTED'))
      this.#violated(`onClose says ${reason.code} although this side has not closed`);
    this.ends.push(reason);
    this.onClose();
    this.#wake();
  }

  #within<T>(method: 'start' | 'send' | 'close', action: () => T): T | undefined {
    const outer = this.#inMethod;
    this.#inMethod = method;
    try {
      return action();
    } catch (error) {
      this.#violated(`${method} threw ${String(error)}`);
      return undefined;
    } finally {
      this.#inMethod = outer;
    }
  }

  #checkMoment(callback: string): void {
    if (this.#inMethod !== undefined) this.#violated(`${callback} was called from within ${this.#inMethod}`);
    if (this.ends.length > 0) this.#violated(`${callback} was called after onClose`);
  }

  #violated(what: string): void {
    // A connection that is broken in one way is broken in it many times over.
    if (this.violations.length < 5) this.violations.push(`${this.#name}: ${what}.`);
    this.onViolation();
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter();
  }
}
