import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';

/** Certificates and keys, as PEM. */
export interface WebSocketTls {
  /** The certificate of this side, with those that lead to its authority. `listen` at a `wss:` address needs one; `dial` shows it if asked. */
  readonly cert?: string | Uint8Array;
  /** The private key of `cert`. */
  readonly key?: string | Uint8Array;
  /** The authorities to trust, instead of those that Node knows. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** `dial`: the name that the certificate of the other side must have. Default the host of the address. */
  readonly servername?: string;
  /** `listen`: whether the other side must show a certificate that an authority of `ca` has signed. Default false. */
  readonly requireClientCertificate?: boolean;
}

/** Options of `webSocketTransport`. */
export interface WebSocketTransportOptions {
  /**
   * `listen` attaches to this server, instead of making one: it takes the WebSocket requests for the path of its address and leaves all others alone.
   * The address must say where the server is reached. The server stays its owner's: `close` does not end it.
   */
  readonly server?: HttpServer | HttpsServer;
  /** For `wss:` addresses. The certificate of the other side is always checked. */
  readonly tls?: WebSocketTls | undefined;
  /** Takes `ws:` for hosts other than this machine too: everything, tokens included, can then be read and changed on the way. Default false. */
  readonly allowInsecure?: boolean;
  /** Origins of web pages that may connect, as `https://console.example.com`. A request without an origin comes from no browser and needs none. Default none. */
  readonly allowOrigins?: readonly string[];
  /** `dial`: headers to send, as for a proxy that wants an authorization. Default none. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * The largest message that is received or sent. Frames may have 256 KiB less than that, or three quarters of it where it is below 1 MiB. Both sides should
   * agree on it. Default 16 MiB.
   */
  readonly maxMessageBytes?: number;
  /** Whether messages may be compressed. It costs more than it brings on most networks, and secrets beside chosen text can be guessed. Default false. */
  readonly perMessageDeflate?: boolean;
  /** Connections that a listener has open at most; further ones get status 503. Default 16,384. */
  readonly maxConnections?: number;
  /**
   * Connections that a listener with a server of its own has open at most without a WebSocket on them yet. Where another one comes, the oldest that has
   * sent nothing is ended, or else the oldest. Default 256.
   */
  readonly maxPendingUpgrades?: number;
  /**
   * Bytes of unfinished messages that a listener holds at most for all the connections together to which this side has sent nothing yet, or which it is
   * closing; above it, the one that holds most is ended. With `perMessageDeflate` they are counted as they come, compressed. Default 20 MiB, and never
   * less than `maxMessageBytes` and one read of 64 KiB.
   */
  readonly maxUnansweredBytes?: number;
  /** How long the opening handshake may take, TLS and HTTP included. Default 10,000 ms. */
  readonly handshakeTimeoutMs?: number;
  /** After this long without a byte the other side is pinged, and after three times this long it is lost. `Infinity`: never. Default 15,000 ms. */
  readonly pingIntervalMs?: number;
  /** How long `close` of a connection waits for its flush and for the other side's goodbye. Default 2,000 ms. */
  readonly closeTimeoutMs?: number;
}

/** {@link WebSocketTransportOptions} with the defaults filled in. */
export type WebSocketSettings = Required<Omit<WebSocketTransportOptions, 'server'>> & Pick<WebSocketTransportOptions, 'server'>;

/** Fills the defaults in. @throws INVALID_ARGUMENT */
export function webSocketSettings(options: WebSocketTransportOptions): WebSocketSettings {
  const maxMessageBytes = options.maxMessageBytes ?? 16_777_216;
  const settings: WebSocketSettings = {
    server: options.server,
    tls: options.tls ?? {},
    allowInsecure: options.allowInsecure ?? false,
    allowOrigins: options.allowOrigins ?? [],
    headers: options.headers ?? {},
    maxMessageBytes,
    perMessageDeflate: options.perMessageDeflate ?? false,
    maxConnections: options.maxConnections ?? 16_384,
    maxPendingUpgrades: options.maxPendingUpgrades ?? 256,
    maxUnansweredBytes: Math.max(options.maxUnansweredBytes ?? 20_971_520, maxMessageBytes + 65_536),
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? 10_000,
    pingIntervalMs: options.pingIntervalMs ?? 15_000,
    closeTimeoutMs: options.closeTimeoutMs ?? 2_000,
  };
  for (const name of ['maxConnections', 'maxPendingUpgrades', 'handshakeTimeoutMs', 'closeTimeoutMs'] as const)
    checkNumber(name, settings[name], 1, 2 ** 31 - 1);
  checkNumber('maxMessageBytes', maxMessageBytes, 1_024, 2 ** 31 - 1);
  if (settings.pingIntervalMs !== Number.POSITIVE_INFINITY) checkNumber('pingIntervalMs', settings.pingIntervalMs, 1, 2 ** 31 - 1);
  return settings;
}

function checkNumber(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw new WorkerRuntimeError('INVALID_ARGUMENT', `${name} must be a number from ${least} to ${most}.`);
}
