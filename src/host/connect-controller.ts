import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { defaultFrameLimits } from '../frames/limits.js';
import type { Platform } from '../interfaces/platform.js';
import type { Connection } from '../interfaces/transport.js';
import { msgpackrCodec, type ValueCodec } from '../messages/codec.js';
import type { ContractStream } from '../plugin/contract-types.js';
import { sdkIdentity } from '../plugin/sdk-identity.js';
import type { SessionCallOptions } from '../session/call-options.js';
import { noReceiver, performHandshake, protocolVersions } from '../session/handshake.js';
import { MessageConnection } from '../session/message-connection.js';
import { Session } from '../session/session.js';

/** What a controller connects with. */
export interface ConnectControllerOptions {
  /** Made by `host.issueToken({ role: 'controller', plugins })`. */
  readonly token: string;
  /** Clock, random numbers and hashes; on Node `nodePlatform()`. */
  readonly platform: Platform;
  /** Default: `strictCodec()`. */
  readonly codec?: ValueCodec;
}

/** A plugin as a controller sees it. */
export interface ControlledPlugin {
  /** Id of its manifest. */
  readonly id: string;
  /** Version of its manifest. */
  readonly version: string;
  /** As `plugin.state` of the host; a newer host may know more states. */
  readonly state: string;
  /** Why it is not active. */
  readonly reason?: { readonly code: string; readonly message: string; readonly since: string; readonly action: string };
}

/** How a controller calls a plugin. */
export type ControllerCallOptions = Omit<SessionCallOptions, 'actingFor'>;

/** A connection that drives a host from elsewhere. */
export interface Controller {
  /** The plugins that it may reach. */
  plugins(): Promise<readonly ControlledPlugin[]>;
  /** Calls a method of a plugin. Rejects with a `WorkerRuntimeError`, as `plugin.call` of the host does, or with HOST_LOST. Default time limit 30 s. */
  call(plugin: string, method: string, params?: unknown, options?: ControllerCallOptions): Promise<unknown>;
  /** Starts a stream of a plugin at once; `options.input` are items for it. @throws what a call would reject with before anything was sent. */
  stream(plugin: string, method: string, params?: unknown, options?: ControllerCallOptions): ContractStream;
  /** Ends the connection; calls in flight are told HOST_LOST. Resolves when it is closed. */
  close(): Promise<void>;
  /** Resolves when the connection has ended, in whatever way, with a sentence that says how. */
  readonly ended: Promise<string>;
  /** The same as `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

const maxOutgoingCalls = 1_000;
const maxQueuedBytes = 64 * 1024 * 1024;

/**
 * Drives a host over a connection to one of its listeners (docs/protocol.md, section 13.1).
 *
 * Rejects with UNAUTHENTICATED, OVERLOADED, HANDSHAKE_TIMEOUT, CONNECTION_LOST, PROTOCOL_ERROR; the connection is closed then.
 */
export async function connectController(
  connection: Connection,
  { token, platform, codec = msgpackrCodec() }: ConnectControllerOptions,
): Promise<Controller> {
  const { clock } = platform;
  const messages = new MessageConnection({ connection, clock, codec, limits: defaultFrameLimits, maxQueuedBytes }, noReceiver);
  let resolveEnded: (message: string) => void = () => {};
  const ended = new Promise<string>((resolve) => {
    resolveEnded = resolve;
  });
  const session = await performHandshake<Session>({
    connection: messages,
    clock,
    hello: { versions: protocolVersions, role: 'controller', sdk: sdkIdentity, features: [], requiredFeatures: [], token },
    establish: (_hello, welcome) =>
      new Session({
        connection: messages,
        clock,
        side: 'peer',
        maxIncomingCalls: 1,
        maxOutgoingCalls,
        debug: welcome.debug,
        handlers: {
          onRequest: (call) => call.fail(new WorkerRuntimeError('METHOD_NOT_FOUND', 'A controller has no methods.')),
          onOneWay: () => {},
          onEnd: ({ message }) => resolveEnded(message),
        },
      }),
  });
  const close = async (): Promise<void> => {
    session.close('STOPPED', 'The controller leaves.');
    await session.closed;
  };
  return {
    ended,
    async plugins() {
      const { plugins } = (await session.call('plugins.list', {})) as { readonly plugins: readonly ControlledPlugin[] };
      return plugins;
    },
    call: (plugin, method, params, options) => session.call('plugins.call', { plugin, method, params }, options),
    stream: (plugin, method, params, options) => session.stream('plugins.stream', { plugin, method, params }, options),
    close,
    [Symbol.asyncDispose]: close,
  };
}
