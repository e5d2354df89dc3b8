import { randomUUID } from 'node:crypto';
import { type Connection, type Transport, type TransportListener, WorkerRuntimeError } from '@synapse/worker-runtime';
import { BusConnection, type BusConnectionSettings } from './bus-connection.js';
import type { BusClient } from './message-bus.js';

/** Options of {@link busTransport}. */
export interface BusTransportOptions extends Partial<BusConnectionSettings> {
  /** How long `dial` waits for an answer: a bus does not tell that nobody is there. Default 2,000 ms. */
  readonly dialTimeoutMs?: number;
}

/** Connections that were asked for and not confirmed; whoever asks for more is not answered. */
const maxHalfOpen = 64;

/**
 * A transport over a message bus. Its addresses are `bus:SUBJECT`.
 *
 * A dialler publishes on the listener's subject where it wants to hear; the listener answers there where it hears itself; and only when the dialler is heard there
 * is the connection handed to `accept`. So a dial that was given up leaves nothing behind.
 *
 * Two listeners with one address both answer, and a dialler takes the first: the bus cannot tell that a subject is taken.
 */
export function busTransport(client: BusClient, options: BusTransportOptions = {}): Transport {
  const { dialTimeoutMs = 2_000 } = options;
  const settings: BusConnectionSettings = {
    windowBytes: options.windowBytes ?? 262_144,
    keepAliveMs: options.keepAliveMs ?? 1_000,
    leaseMs: options.leaseMs ?? 5_000,
    closeTimeoutMs: options.closeTimeoutMs ?? 2_000,
  };
  return { name: 'bus', dial, listen };

  async function dial(address: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Connection> {
    const subject = subjectOf(address);
    const givenUp = (): WorkerRuntimeError => new WorkerRuntimeError('CANCELLED', `Dialling ${address} was given up.`, { cause: signal?.reason });
    if (signal?.aborted) throw givenUp();
    const answerSubject = newInbox();
    const inbox = newInbox();
    let cleanUp = (): void => {};
    const peerInbox = await new Promise<string>((resolve, reject) => {
      const unsubscribe = client.subscribe(answerSubject, (payload) => resolve(new TextDecoder().decode(payload)));
      const tooLong = `Nobody at ${address} answered within ${dialTimeoutMs} ms; start the listener, or raise dialTimeoutMs.`;
      const timer = setTimeout(() => reject(new WorkerRuntimeError('CONNECTION_LOST', tooLong, { details: { address } })), dialTimeoutMs);
      const onAbort = (): void => reject(givenUp());
      signal?.addEventListener('abort', onAbort);
      cleanUp = () => {
        unsubscribe();
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      client.publish(subject, new TextEncoder().encode(`${answerSubject} ${inbox}`));
    }).finally(() => cleanUp());
    return new BusConnection({ client, inbox, peerInbox, settings });
  }

  async function listen(wanted: string, accept: (connection: Connection) => void): Promise<TransportListener> {
    const address = wanted === '' ? `bus:host.${randomUUID()}` : wanted;
    const halfOpen = new Set<BusConnection>();
    let closed = false;
    const unsubscribe = client.subscribe(subjectOf(address), (payload) => {
      const [answerSubject, peerInbox] = new TextDecoder().decode(payload).split(' ');
      if (answerSubject === undefined || peerInbox === undefined || halfOpen.size >= maxHalfOpen) return;
      const inbox = newInbox();
      const onHeard = (): void => {
        clearTimeout(timer);
        if (halfOpen.delete(connection) && !closed) accept(connection);
        else connection.close({ abort: true });
      };
      const connection = new BusConnection({ client, inbox, peerInbox, settings, onHeard });
      halfOpen.add(connection);
      const timer = setTimeout(() => {
        halfOpen.delete(connection);
        connection.close({ abort: true });
      }, dialTimeoutMs);
      timer.unref();
      client.publish(answerSubject, new TextEncoder().encode(inbox));
    });
    return {
      address,
      async close() {
        closed = true;
        unsubscribe();
        for (const connection of halfOpen) connection.close({ abort: true });
        halfOpen.clear();
      },
    };
  }
}

const newInbox = (): string => `inbox.${randomUUID()}`;

function subjectOf(address: string): string {
  const [, subject] = /^bus:(\S+)$/.exec(address) ?? [];
  if (subject !== undefined) return subject;
  throw new WorkerRuntimeError('INVALID_ARGUMENT', `${JSON.stringify(address)} is no address of the bus transport; write bus:SUBJECT.`);
}
