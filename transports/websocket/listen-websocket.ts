import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { Connection, TransportListener } from '../../src/interfaces/transport.js';
import { asPem, authorities } from './pem.js';
import { PendingUpgrades } from './pending-upgrades.js';
import { socketLimits } from './socket-limits.js';
import { type AnswerWatch, UnansweredBytes } from './unanswered-bytes.js';
import { refuseUpgrade, takeUpgrades, type UpgradeTaker } from './upgrade-requests.js';
import { isLoopback, readWebSocketAddress, refuseClearText, type WebSocketAddress } from './websocket-address.js';
import { answeringConnection } from './websocket-connection.js';
import type { WebSocketSettings } from './websocket-options.js';
import { WebSocketServer } from './ws-package.js';

type Accept = (connection: Connection) => void;

/** See `Transport.listen`. */
export async function listenWebSocket(address: string, settings: WebSocketSettings, accept: Accept): Promise<TransportListener> {
  const anywhere = settings.tls.cert === undefined ? 'ws://127.0.0.1:0/' : 'wss://localhost:0/';
  const place = readWebSocketAddress(address === '' ? anywhere : address);
  if (place.url.search !== '') throw invalid(`The address ${place.text} of a listener must have no query.`);
  return settings.server === undefined ? listenAlone(place, settings, accept) : attach(settings.server, place, settings, accept);
}

/** A server that does nothing else. */
async function listenAlone(place: WebSocketAddress, settings: WebSocketSettings, accept: Accept): Promise<TransportListener> {
  refuseClearText(place, settings.allowInsecure);
  const server = createServer(place, settings);
  const pending = new PendingUpgrades(server, settings.maxPendingUpgrades);
  server.listen({ host: place.host, port: place.port });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new WorkerRuntimeError('INVALID_STATE', `Cannot listen at ${place.text}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  // An accept that fails, as for want of descriptors, is that connection's misfortune; the next one may succeed.
  server.on('error', () => {});
  const stop = takeUpgrades(
    server,
    place.path,
    upgrader(
      settings,
      (connection, stream) => {
        pending.upgraded(stream);
        accept(connection);
      },
      () => undefined,
    ),
  );
  const address = new URL(place.url);
  address.port = String((server.address() as AddressInfo).port);
  return {
    address: address.href,
    async close() {
      stop();
      // Not awaited: the server has closed only when the last connection that it accepted has ended. Those that are no WebSocket yet end now.
      server.close();
      server.closeAllConnections();
    },
  };
}

function createServer(place: WebSocketAddress, settings: WebSocketSettings): http.Server {
  const { handshakeTimeoutMs } = settings;
  const limits = {
    headersTimeout: handshakeTimeoutMs,
    requestTimeout: handshakeTimeoutMs,
    // How often Node looks for those that are over their time.
    connectionsCheckingInterval: Math.max(50, Math.min(1_000, handshakeTimeoutMs / 4)),
    maxHeaderSize: 16_384,
    keepAlive: true,
  };
  const { cert, key, ca, requireClientCertificate = false } = settings.tls;
  let server: http.Server;
  if (place.secure) {
    if (cert === undefined || key === undefined) throw invalid(`To listen at ${place.text} pass tls: { cert, key }.`);
    if (requireClientCertificate && ca === undefined) throw invalid('tls.requireClientCertificate needs tls.ca, the authorities of the clients.');
    server = https.createServer({
      ...limits,
      cert: asPem(cert),
      key: asPem(key),
      ...(ca === undefined ? {} : { ca: authorities(ca) }),
      requestCert: requireClientCertificate,
      rejectUnauthorized: requireClientCertificate,
      handshakeTimeout: handshakeTimeoutMs,
    });
  } else server = http.createServer(limits);
  server.maxConnections = settings.maxConnections;
  server.on('request', (_request, response) => {
    response.writeHead(426, { connection: 'close', 'content-type': 'text/plain' }).end('Only WebSocket connections are served here.\n');
  });
  return server;
}

/** A place on the embedder's server. */
async function attach(server: http.Server, place: WebSocketAddress, settings: WebSocketSettings, accept: Accept): Promise<TransportListener> {
  const secure = server instanceof https.Server;
  if (secure && !place.secure) throw invalid(`The server speaks TLS; write ${place.text.replace(/^ws:/, 'wss:')}.`);
  const inTheClear = (request: http.IncomingMessage): string | undefined => {
    // A proxy on this machine that ends the TLS is here too, and its address may be secure.
    const from = request.socket.remoteAddress;
    const here = from === undefined ? typeof server.address() === 'string' : isLoopback(from);
    return secure || settings.allowInsecure || here ? undefined : 'TLS is needed here';
  };
  const stop = takeUpgrades(server, place.path, upgrader(settings, accept, inTheClear));
  return {
    address: addressOf(server, place),
    async close() {
      stop();
    },
  };
}

/** Accepts WebSockets, within the limits of one listener. */
function upgrader(
  settings: WebSocketSettings,
  accept: (connection: Connection, stream: Socket) => void,
  objection: (request: http.IncomingMessage) => string | undefined,
): UpgradeTaker {
  const sockets = new WebSocketServer({ ...socketLimits(settings), noServer: true, clientTracking: false, handleProtocols: () => false });
  const unanswered = new UnansweredBytes(settings.maxUnansweredBytes);
  let open = 0;

  return (request, stream, head) => {
    const { origin } = request.headers;
    if (origin !== undefined && !settings.allowOrigins.includes(origin))
      return refuseUpgrade(stream, 403, 'Web pages of this origin may not connect (allowOrigins)');
    if (open >= settings.maxConnections) return refuseUpgrade(stream, 503, 'Too many connections');
    const words = objection(request);
    if (words !== undefined) return refuseUpgrade(stream, 403, words);
    const description = describe(stream);
    sockets.handleUpgrade(request, stream, head, (socket) => {
      open += 1;
      stream.once('close', () => {
        open -= 1;
      });
      let watch: AnswerWatch | undefined;
      const connection = answeringConnection(
        socket,
        {
          peer: { description },
          stream,
          maxMessageBytes: settings.maxMessageBytes,
          closeTimeoutMs: settings.closeTimeoutMs,
          pingIntervalMs: settings.pingIntervalMs,
          compress: settings.perMessageDeflate,
        },
        { noteAnswer: () => watch?.noteAnswer(), noteClosing: () => watch?.noteClosing() },
      );
      watch = unanswered.watch(connection, stream, socket);
      try {
        accept(connection, stream);
      } catch {
        // The listener serves the others too.
        connection.close({ abort: true });
      }
    });
  };
}

function describe(stream: Socket): string {
  const { remoteAddress = 'somebody', remotePort } = stream;
  const host = remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress;
  return remotePort === undefined ? host : `${host}:${remotePort}`;
}

/** The address as given; a port 0 stands for the server's own, if it listens already. */
function addressOf(server: http.Server, place: WebSocketAddress): string {
  const bound = server.address();
  const address = new URL(place.url);
  if (place.port === 0 && bound !== null && typeof bound !== 'string') address.port = String(bound.port);
  return address.href;
}

function invalid(message: string): WorkerRuntimeError {
  return new WorkerRuntimeError('INVALID_ARGUMENT', message);
}
