import { WorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import type { FrameLimits } from '../../frames/limits.js';
import type { Platform } from '../../interfaces/platform.js';
import type { ValueCodec } from '../../messages/codec.js';
import type { HelloFields, WelcomeFields } from '../../messages/message.js';
import { acceptHandshake, noReceiver } from '../../session/handshake.js';
import { MessageConnection } from '../../session/message-connection.js';
import { Session } from '../../session/session.js';
import { Liveness } from '../../worker/liveness.js';
import { defaultTimings } from '../../worker/worker-options.js';
import type { Audit } from '../audit.js';
import type { PluginVersion } from '../install-plugin.js';
import { ControllerCalls } from './controller-calls.js';
import type { DialInOptions } from './dial-in-options.js';
import type { Arrival } from './gate.js';
import { Refusal } from './refusal.js';
import { printable } from './refused-peers.js';
import type { ControllerTokenOptions, Tokens } from './tokens.js';

/** What the controllers of a host need of it. */
export interface ControllersOptions {
  readonly platform: Platform;
  readonly codec: ValueCodec;
  readonly createId: () => string;
  readonly audit: Audit;
  readonly tokens: Tokens;
  readonly limits: Required<DialInOptions>;
  readonly frameLimits: FrameLimits;
  readonly heartbeatMs: number | undefined;
  readonly debug: boolean;
  /** The installed version of a plugin. */
  find(pluginId: string): PluginVersion | undefined;
}

/** Calls of the host to a controller: there are none. */
const maxOutgoingCalls = 1;
/** Bytes that may wait for a controller that does not read. */
const maxQueuedBytes = 32 * 1024 * 1024;
const minuteMs = 60_000;

interface Connected {
  readonly tokenId: string;
  readonly session: Session;
  readonly gone: Promise<void>;
}

/** The controllers that drive this host from elsewhere. */
export class Controllers {
  readonly #options: ControllersOptions;
  readonly #connected = new Set<Connected>();
  #arriving = 0;
  #closed = false;

  constructor(options: ControllersOptions) {
    this.#options = options;
  }

  /** Rejects with what the peer is told. */
  async admit(arrival: Arrival): Promise<void> {
    const { tokens, limits } = this.#options;
    const record = tokens.find(arrival.hello.token, 'controller');
    const known = { tokenId: record.id };
    if (this.#connected.size + this.#arriving >= limits.maxControllers) {
      const message = `${limits.maxControllers} controllers are connected already.`;
      throw new Refusal('OVERLOADED', message, `${message} (dialIn.maxControllers)`, known);
    }
    const claim = tokens.claim(record);
    this.#arriving += 1;
    try {
      await this.#connect(arrival, record.id, record.options, () => claim.keep());
    } finally {
      this.#arriving -= 1;
      claim.release();
    }
  }

  /** Ends the controllers that came with a token. */
  endOf(tokenId: string): void {
    for (const controller of this.#connected) if (controller.tokenId === tokenId) controller.session.close('STOPPED', 'The token was revoked.');
  }

  /** Ends all. Resolves when their connections are closed. */
  async close(): Promise<void> {
    this.#closed = true;
    const connected = [...this.#connected];
    for (const { session } of connected) session.close('STOPPED', 'The host is stopping.');
    await Promise.all(connected.map(({ gone }) => gone));
  }

  async #connect(arrival: Arrival, tokenId: string, token: ControllerTokenOptions, onAdmitted: () => void): Promise<void> {
    const { platform, codec, frameLimits, heartbeatMs = defaultTimings.heartbeatMs, limits, audit, debug, find } = this.#options;
    const { clock } = platform;
    const name = token.name ?? tokenId;
    const peer = printable(arrival.peer);
    const connection = new MessageConnection({ connection: arrival.connection, clock, codec, limits: frameLimits, maxQueuedBytes }, noReceiver);
    let refusedAt = Number.NEGATIVE_INFINITY;
    const record = (action: 'connected' | 'left' | 'refused', reason?: string): void => {
      audit.record({ kind: 'controller', action, controller: name, tokenId, peer, ...(reason === undefined ? {} : { reason }) });
    };
    const calls = new ControllerCalls({
      name,
      plugins: new Set(token.plugins),
      clock,
      audit,
      find,
      onRefused(reason) {
        if (clock.now() - refusedAt < minuteMs) return;
        refusedAt = clock.now();
        record('refused', printable(reason));
      },
    });
    await acceptHandshake<Session>({
      connection,
      clock,
      admit: (hello) => {
        assertController(hello, this.#closed);
        onAdmitted();
        return this.#welcome(heartbeatMs);
      },
      establish: () => {
        let liveness: Liveness | undefined;
        const session = new Session({
          connection,
          clock,
          side: 'host',
          maxIncomingCalls: limits.maxCallsPerController,
          maxOutgoingCalls,
          debug,
          handlers: {
            onRequest: (call) => calls.handle(call),
            onOneWay: () => {},
            // It takes no calls, so that it need not say that it will take none.
            onEnd: ({ message }) => {
              liveness?.stop();
              record('left', printable(message));
            },
          },
        });
        liveness = new Liveness({
          clock,
          heartbeatMs,
          lastReceivedAt: () => session.lastReceivedAt,
          ping: () => void session.ping(),
          onDead: (silentMs) => session.abort(`The controller answered no ping and sent nothing for ${Math.round(silentMs)} ms.`),
        });
        const controller: Connected = { tokenId, session, gone: session.closed.then(() => void this.#connected.delete(controller)) };
        this.#connected.add(controller);
        record('connected');
        return session;
      },
    });
  }

  #welcome(heartbeatMs: number): Omit<WelcomeFields, 'version' | 'features'> {
    const { createId, frameLimits, debug } = this.#options;
    const { maxFrameBytes, maxDepth, maxElements } = frameLimits;
    return {
      session: createId(),
      generation: 1,
      plugin: { id: 'controller', version: '1' },
      grants: [],
      config: {},
      secretConfigKeys: [],
      limits: { maxFrameBytes, maxDepth, maxElements, maxConcurrency: maxOutgoingCalls },
      heartbeatMs,
      debug,
    };
  }
}

/** @throws HANDSHAKE_INVALID, HOST_STOPPED */
function assertController({ plugin }: HelloFields, closed: boolean): void {
  if (closed) throw new WorkerRuntimeError('HOST_STOPPED', 'The host is stopping.');
  if (plugin !== undefined) throw new WorkerRuntimeError('HANDSHAKE_INVALID', 'A controller is no plugin: leave hello.plugin out.');
}
