import { WorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import type { Logger } from '../../interfaces/logger.js';
import type { Clock } from '../../interfaces/platform.js';
import type { Transport } from '../../interfaces/transport.js';
import type { HelloFields } from '../../messages/message.js';
import { protocolFeatures, protocolVersions } from '../../session/handshake.js';
import { Controllers, type ControllersOptions } from './controllers.js';
import { type Arrival, Gate } from './gate.js';
import { RefusedPeers } from './refused-peers.js';
import { Registration, type RegistrationOptions } from './registration.js';
import { Tokens } from './tokens.js';
import { type InstalledPlugins, warnOfUnknownPlugins } from './unknown-plugins.js';

/** A place where a host listens. */
export interface HostListener {
  /** Where to dial, as `unix:/…` or `wss://…`. */
  readonly address: string;
  /** Accepts no more and gives up the address. Who is connected already stays. */
  close(): Promise<void>;
  /** The same as `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What dial-in needs of the host. */
export interface DialInParts
  extends Omit<ControllersOptions, 'tokens'>,
    Omit<RegistrationOptions, 'tokens' | 'crypto'>,
    Pick<InstalledPlugins, 'installedIds'> {
  readonly logger: Logger;
}

/** How long the end of the host waits for transports to give up their addresses, and for the connections of controllers to close. */
const closeTimeoutMs = 5_000;

/** Everything that reaches a host from outside: its listeners, the gate before them, its tokens, and the controllers that are connected. */
export class DialIn {
  readonly tokens: Tokens;
  readonly #gate: Gate;
  readonly #registration: Registration;
  readonly #controllers: Controllers;
  readonly #refused: RefusedPeers;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Ends those who listen. */
  readonly #closers = new Set<() => Promise<void>>();
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(parts: DialInParts) {
    const { platform, codec, limits, audit, createId, logger } = parts;
    this.#clock = platform.clock;
    this.#logger = logger;
    this.tokens = new Tokens(platform, createId, audit, limits.maxConnectsPerMinute, (options) => warnOfUnknownPlugins(options, parts, logger));
    this.#refused = new RefusedPeers(platform.clock, audit);
    this.#registration = new Registration({ ...parts, crypto: platform.crypto, tokens: this.tokens });
    this.#controllers = new Controllers({ ...parts, tokens: this.tokens });
    this.#gate = new Gate({
      clock: platform.clock,
      random: platform.random,
      codec,
      limits,
      judge: (arrival) => this.#judge(arrival),
      onRefused: (peer, error) => this.#refused.note(peer, error),
    });
  }

  /** Rejects with what the transport rejects with, or HOST_STOPPED. */
  async listen(transport: Transport, address: string): Promise<HostListener> {
    const listener = await transport.listen(address, (connection) => this.#gate.accept(connection));
    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closing ??= (async () => listener.close())().finally(() => this.#closers.delete(close));
      return closing;
    };
    if (this.#closed) {
      await this.#within(`The listener at ${listener.address}`, close());
      throw new WorkerRuntimeError('HOST_STOPPED', 'The host was stopped before it could listen.');
    }
    this.#closers.add(close);
    return { address: listener.address, close, [Symbol.asyncDispose]: close };
  }

  /** Revokes a token, and ends the controllers that came with it. @throws INVALID_ARGUMENT */
  revoke(id: string, by: string): void {
    this.tokens.revoke(id, by);
    this.#controllers.endOf(id);
  }

  /** Lets nobody in any more, and ends those who wait. */
  shut(): void {
    this.#closed = true;
    this.#gate.close();
  }

  /** Gives up all addresses and ends all controllers; what takes longer than 5 s is logged and left to itself. Never rejects. */
  close(): Promise<void> {
    this.shut();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // One that has not begun to listen yet ends as soon as it does.
    await Promise.all([
      this.#within('The connection of a controller', this.#controllers.close()),
      ...[...this.#closers].map((close) => this.#within('A listener', close())),
    ]);
    this.#refused.flush();
  }

  /** A transport that never comes to an end must not keep the host from its own. Never rejects. */
  #within(what: string, closing: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const awake = this.#clock.keepAlive?.();
      const done = (): void => {
        timer.cancel();
        awake?.cancel();
        resolve();
      };
      const timer = this.#clock.setTimer(closeTimeoutMs, () => {
        this.#logger.warn({ timeoutMs: closeTimeoutMs }, `${what} did not close; the host stops without it.`);
        done();
      });
      closing.then(done, (error: unknown) => {
        this.#logger.warn({ err: error }, `${what} could not be closed.`);
        done();
      });
    });
  }

  async #judge(arrival: Arrival): Promise<void> {
    assertCompatible(arrival.hello);
    if (arrival.hello.role === 'controller') await this.#controllers.admit(arrival);
    else await this.#registration.admit(arrival);
  }
}

/** Before anything is begun or spent for it. @throws UNSUPPORTED_VERSION, MISSING_FEATURE */
function assertCompatible({ versions, requiredFeatures, role }: HelloFields): void {
  if (!protocolVersions.some((version) => versions.includes(version))) {
    const said = versions.slice(0, 16).join(', ');
    throw new WorkerRuntimeError('UNSUPPORTED_VERSION', `The peer speaks protocol ${said}, the host ${protocolVersions.join(', ')}.`);
  }
  const offered = role === 'worker' ? protocolFeatures : [];
  const lacking = requiredFeatures.find((feature) => !offered.includes(feature));
  if (lacking !== undefined)
    throw new WorkerRuntimeError('MISSING_FEATURE', `The peer requires the feature "${lacking.slice(0, 100)}", which the host does not offer.`);
}
