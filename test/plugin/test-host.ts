import { defaultFrameLimits } from '../../src/frames/limits.js';
import type { Clock } from '../../src/interfaces/platform.js';
import type { Connection } from '../../src/interfaces/transport.js';
import { msgpackrCodec } from '../../src/messages/codec.js';
import type { HelloFields, WelcomeFields } from '../../src/messages/message.js';
import type { Contract } from '../../src/plugin/contract.js';
import { createContractClient } from '../../src/plugin/contract-client.js';
import type { ContractClient, ContractStream } from '../../src/plugin/contract-types.js';
import type { Plugin } from '../../src/plugin/plugin.js';
import { type RunningPlugin, runPlugin } from '../../src/plugin/run-plugin.js';
import { acceptHandshake, noReceiver } from '../../src/session/handshake.js';
import type { IncomingCall } from '../../src/session/incoming-call.js';
import { MessageConnection } from '../../src/session/message-connection.js';
import { Session, type SessionEnd } from '../../src/session/session.js';
import type { SimulatedClock } from '../../src/testing/simulated-clock.js';
import { createSimulatedPlatform } from '../../src/testing/simulated-platform.js';
import { createMemoryPair } from '../../transports/memory/memory-pair.js';

/** A line that the plugin logged. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly time?: string;
}

/** The host's side of a session with a plugin, made by hand. */
export interface TestHost {
  readonly session: Session;
  readonly run: RunningPlugin;
  readonly clock: SimulatedClock;
  readonly hello: HelloFields;
  readonly logs: LogLine[];
  /** What the plugin asked of the host. */
  readonly requests: { readonly method: string; readonly params: unknown; readonly parentId: number | undefined }[];
  readonly drains: (string | undefined)[];
  readonly ended: Promise<SessionEnd>;
  as<C extends Contract>(contract: C): ContractClient<C>;
  load(): Promise<unknown>;
}

/** How a host is made by hand. */
export interface TestHostOptions {
  readonly welcome?: Partial<Omit<WelcomeFields, 'limits'>> & { readonly maxConcurrency?: number };
  /** Answers of the host by method: a value, a promise, or an error thrown. Others are answered nil. */
  readonly services?: Readonly<Record<string, (params: unknown, call: IncomingCall) => unknown>>;
  /** One-way messages count as consumed when this has settled. */
  readonly onLog?: (line: LogLine) => void | Promise<void>;
  /** Default 10,000. A process that has yet to start may need more on a busy machine. */
  readonly handshakeTimeoutMs?: number;
  /** Default true. */
  readonly load?: boolean;
}

/** The host's side of a session, before it is known who is at the other end. */
export type AcceptedPlugin = Omit<TestHost, 'run' | 'clock'>;

/** Runs a plugin over a memory pair, with a host that does what the test says. Time is simulated; messages flow by themselves. */
export async function startPlugin(plugin: Plugin, options: TestHostOptions = {}): Promise<TestHost> {
  const platform = createSimulatedPlatform();
  const { clock } = platform;
  const [hostEnd, workerEnd] = createMemoryPair({ clock });
  const running = runPlugin(plugin, { connection: workerEnd, platform, pluginId: 'tested', pluginVersion: '1.2.3' });
  const [accepted, run] = await Promise.all([acceptPlugin(hostEnd, clock, options), running]);
  return { ...accepted, run, clock };
}

/** Answers the hello of a plugin, and loads it. */
export async function acceptPlugin(hostEnd: Connection, clock: Clock, options: TestHostOptions = {}): Promise<AcceptedPlugin> {
  const logs: LogLine[] = [];
  const requests: TestHost['requests'] = [];
  const drains: (string | undefined)[] = [];
  const { maxConcurrency = 10, ...welcome } = options.welcome ?? {};
  const connection = new MessageConnection(
    { connection: hostEnd, clock, codec: msgpackrCodec(), limits: defaultFrameLimits, maxQueuedBytes: 16 * 1024 * 1024 },
    noReceiver,
  );
  let hello: HelloFields | undefined;
  let resolveEnded: (end: SessionEnd) => void;
  const ended = new Promise<SessionEnd>((resolve) => {
    resolveEnded = resolve;
  });
  const session = await acceptHandshake({
    connection,
    clock,
    timeoutMs: options.handshakeTimeoutMs ?? 10_000,
    admit: (said) => {
      hello = said;
      return {
        session: 's1',
        generation: 3,
        plugin: { id: 'tested', version: '1.2.3' },
        grants: [],
        config: {},
        secretConfigKeys: [],
        limits: { ...defaultFrameLimits, maxConcurrency },
        heartbeatMs: 5_000,
        debug: false,
        ...welcome,
      };
    },
    establish: (_hello, agreed) =>
      new Session({
        connection,
        clock,
        side: 'host',
        maxIncomingCalls: 1_000,
        maxOutgoingCalls: 1_000,
        debug: agreed.debug,
        handlers: {
          onRequest(call) {
            requests.push({ method: call.method, params: call.params, parentId: call.parentId });
            const service = options.services?.[call.method];
            Promise.resolve()
              .then(() => service?.(call.params, call))
              .then(
                (result) => call.respond(result),
                (error) => call.fail(error),
              );
          },
          onOneWay(method, params) {
            if (method !== 'log.write') return undefined;
            logs.push(params as LogLine);
            return options.onLog?.(params as LogLine);
          },
          onDrain: (_graceMs, reason) => void drains.push(reason),
          onEnd: (end) => resolveEnded(end),
        },
      }),
  });
  const load = () => session.call('plugin.load', {});
  if (options.load !== false) await load();
  return {
    session,
    hello: hello as HelloFields,
    logs,
    requests,
    drains,
    ended,
    as: (contract) =>
      createContractClient(contract, {
        call: (...args) => session.call(...args),
        stream: (...args) => session.stream(...args) as ContractStream,
      }),
    load,
  };
}

/** What a promise rejects with. */
export async function rejection(
  promise: Promise<unknown>,
): Promise<{ code?: string; message: string; details?: Record<string, unknown>; handlerCode?: string; mayHaveRun?: boolean }> {
  return promise.then(
    (value) => Promise.reject(new Error(`It resolved with ${JSON.stringify(value)}.`)),
    (error: unknown) => error as { message: string },
  );
}
