import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { defaultFrameLimits, type FrameLimits } from '../../src/frames/limits.js';

import type { Clock } from '../../src/interfaces/platform.js';
import type { Connection } from '../../src/interfaces/transport.js';
import type { HelloFields, WelcomeFields } from '../../src/messages/message.js';
import { strictCodec } from '../../src/messages/strict-codec/strict-codec.js';
import { acceptHandshake, noReceiver, performHandshake } from '../../src/session/handshake.js';
import type { IncomingCall } from '../../src/session/incoming-call.js';
import { MessageConnection } from '../../src/session/message-connection.js';
import { Session, type SessionEnd, type SessionHandlers } from '../../src/session/session.js';
import { SimulatedClock } from '../../src/testing/simulated-clock.js';
import { createMemoryPair, type MemoryPair } from '../../transports/memory/memory-pair.js';

export const codec = strictCodec();

export const hello: HelloFields = {
  versions: [1],
  role: 'worker',
  plugin: { id: 'test', version: '1.0.0' },
  sdk: { name: 'test', version: '0', language: 'typescript' },
  features: [],
  requiredFeatures: [],
};

export const admitted: Omit<WelcomeFields, 'version' | 'features'> = {
  session: 's1',
  generation: 1,
  plugin: { id: 'test', version: '1.0.0' },
  grants: [],
  config: {},
  secretConfigKeys: [],
  limits: { maxFrameBytes: 4 * 1024 * 1024, maxDepth: 32, maxElements: 100_000, maxConcurrency: 64 },
  heartbeatMs: 5_000,
  debug: false,
};

/** What a side of the pair does and notes. */
export interface Side {
  readonly session: Session;
  readonly connection: MessageConnection;
  /** Handlers by method; one that returns or resolves answers, one that throws fails. Unknown methods are METHOD_NOT_FOUND. */
  readonly methods: Record<string, (call: IncomingCall) => unknown>;
  onOneWay: (method: string, params: unknown) => void | Promise<void>;
  onOneWayCredit: () => void;
  readonly received: IncomingCall[];
  readonly violations: WorkerRuntimeError[];
  readonly drains: { graceMs: number | undefined; reason: string | undefined }[];
  readonly ends: SessionEnd[];
}

export interface PairOptions {
  readonly clock?: SimulatedClock;
  readonly limits?: FrameLimits;
  readonly maxQueuedBytes?: number;
  readonly maxIncomingCalls?: number;
  readonly maxOutgoingCalls?: number;
  readonly debug?: boolean;
  readonly highWaterMark?: number;
  readonly seed?: number;
  /** Of the host. */
  readonly explainLoss?: NonNullable<SessionHandlers['explainLoss']>;
}

export interface SessionPair {
  readonly clock: SimulatedClock;
  readonly pair: MemoryPair;
  readonly host: Side;
  readonly peer: Side;
}

/** A side whose session is set once the handshake is over. */
export function createSide(
  side: 'host' | 'peer',
  pair: readonly [Connection, Connection],
  clock: Clock,
  options: PairOptions,
): { side: Side; establish: () => Session } {
  const connection = new MessageConnection(
    {
      connection: pair[side === 'host' ? 0 : 1],
      clock,
      codec,
      limits: options.limits ?? defaultFrameLimits,
      maxQueuedBytes: options.maxQueuedBytes ?? 16 * 1024 * 1024,
    },
    noReceiver,
  );
  let session: Session | undefined;
  const made: Side = {
    get session() {
      if (session === undefined) throw new Error('no session yet');
      return session;
    },
    connection,
    methods: {},
    onOneWay: () => {},
    onOneWayCredit: () => {},
    received: [],
    violations: [],
    drains: [],
    ends: [],
  };
  const handle = async (call: IncomingCall): Promise<void> => {
    try {
      const method = made.methods[call.method];
      if (method === undefined) throw new WorkerRuntimeError('METHOD_NOT_FOUND', `There is no method "${call.method}".`);
      call.respond(await method(call));
    } catch (error) {
      call.fail(error);
    }
  };
  const establish = (): Session => {
    session = new Session({
      connection,
      clock,
      side,
      maxIncomingCalls: options.maxIncomingCalls ?? 64,
      maxOutgoingCalls: options.maxOutgoingCalls ?? 256,
      debug: options.debug ?? false,
      handlers: {
        onRequest(call) {
          made.received.push(call);
          void handle(call);
        },
        onOneWay: (method, params) => made.onOneWay(method, params),
        onOneWayCredit: () => made.onOneWayCredit(),
        onDrain: (graceMs, reason) => made.drains.push({ graceMs, reason }),
        onViolation: (error) => made.violations.push(error),
        ...(options.explainLoss === undefined || side === 'peer' ? {} : { explainLoss: options.explainLoss }),
        onEnd: (end) => made.ends.push(end),
      },
    });
    return session;
  };
  return { side: made, establish };
}

/** Two sessions over a memory pair, after their handshake. `pair.faults[0]` is the direction from host to peer. */
export async function connectSessions(options: PairOptions = {}): Promise<SessionPair> {
  const clock = options.clock ?? new SimulatedClock();
  const pair = createMemoryPair({ clock, seed: options.seed ?? 1, highWaterMark: options.highWaterMark ?? 65_536 });
  const { host, peer } = await establishSessions(pair, clock, options);
  await clock.settle();
  return { clock, pair, host, peer };
}

/** The same over any two connections that are joined, the first of them the host's. */
export async function establishSessions(
  pair: readonly [Connection, Connection],
  clock: Clock,
  options: PairOptions = {},
): Promise<{ readonly host: Side; readonly peer: Side }> {
  const host = createSide('host', pair, clock, options);
  const peer = createSide('peer', pair, clock, options);
  const { maxFrameBytes, maxDepth, maxElements } = options.limits ?? defaultFrameLimits;
  await Promise.all([
    acceptHandshake({
      connection: host.side.connection,
      clock,
      admit: () => ({ ...admitted, limits: { ...admitted.limits, maxFrameBytes, maxDepth, maxElements } }),
      establish: host.establish,
    }),
    performHandshake({ connection: peer.side.connection, clock, hello, establish: peer.establish }),
  ]);
  return { host: host.side, peer: peer.side };
}

/** The error of a promise that must reject. */
export function rejection(promise: Promise<unknown>): Promise<WorkerRuntimeError> {
  return promise.then(
    (value) => {
      throw new Error(`resolved with ${String(value)}`);
    },
    (error: WorkerRuntimeError) => error,
  );
}

/** A promise and its levers. */
export function gate<T = void>(): { readonly promise: Promise<T>; open(value: T): void; fail(error: unknown): void } {
  let open!: (value: T) => void;
  let fail!: (error: unknown) => void;
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  promise.catch(() => {});
  return { promise, open, fail };
}
