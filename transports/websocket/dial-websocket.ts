import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { Connection } from '../../src/interfaces/transport.js';
import { asPem, authorities } from './pem.js';
import { socketLimits } from './socket-limits.js';
import { readWebSocketAddress, refuseClearText, type WebSocketAddress } from './websocket-address.js';
import { fromWebSocket } from './websocket-connection.js';
import type { WebSocketSettings } from './websocket-options.js';
import { type ClientOptions, WebSocket } from './ws-package.js';

/** See `Transport.dial`. */
export async function dialWebSocket(address: string, settings: WebSocketSettings, signal: AbortSignal | undefined): Promise<Connection> {
  const target = readWebSocketAddress(address);
  refuseClearText(target, settings.allowInsecure);
  if (signal?.aborted === true) throw cancelled(target, signal);
  const socket = new WebSocket(target.url, clientOptions(settings));
  return new Promise((resolve, reject) => {
    let stream: Socket | undefined;
    const fail = (error: WorkerRuntimeError): void => {
      settle();
      // Whatever it still says, nobody asks any more.
      socket.on('error', () => {});
      socket.terminate();
      reject(error);
    };
    const onAbort = (): void => fail(cancelled(target, signal));
    const onError = (error: NodeJS.ErrnoException): void => fail(unreachable(target, error));
    const timer = setTimeout(() => {
      fail(unreachable(target, new Error(`no answer within ${settings.handshakeTimeoutMs} ms (handshakeTimeoutMs)`)));
    }, settings.handshakeTimeoutMs);
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError);
    };
    signal?.addEventListener('abort', onAbort);
    socket.once('upgrade', (response: IncomingMessage) => {
      stream = response.socket;
    });
    socket.once('unexpected-response', (_request, response: IncomingMessage) => {
      const said = `${response.statusCode ?? 0} ${(response.statusMessage ?? '').slice(0, 200)}`;
      fail(unreachable(target, new Error(`the server answered ${JSON.stringify(said.trim())}`)));
    });
    socket.once('error', onError);
    // In this very turn: the next one may bring the first message.
    socket.once('open', () => {
      settle();
      resolve(
        fromWebSocket(socket, {
          peer: { description: target.text },
          ...(stream === undefined ? {} : { stream }),
          maxMessageBytes: settings.maxMessageBytes,
          closeTimeoutMs: settings.closeTimeoutMs,
          pingIntervalMs: settings.pingIntervalMs,
          compress: settings.perMessageDeflate,
        }),
      );
    });
  });
}

function clientOptions(settings: WebSocketSettings): ClientOptions {
  const { cert, key, ca, servername } = settings.tls;
  return {
    ...socketLimits(settings),
    headers: { ...settings.headers },
    followRedirects: false,
    // Said, so that no variable of the environment says otherwise.
    rejectUnauthorized: true,
    ...(cert === undefined ? {} : { cert: asPem(cert) }),
    ...(key === undefined ? {} : { key: asPem(key) }),
    ...(ca === undefined ? {} : { ca: authorities(ca) }),
    ...(servername === undefined ? {} : { servername }),
  };
}

function cancelled(target: WebSocketAddress, signal: AbortSignal | undefined): WorkerRuntimeError {
  return new WorkerRuntimeError('CANCELLED', `Dialling ${target.text} was given up.`, { cause: signal?.reason });
}

function unreachable(target: WebSocketAddress, cause: NodeJS.ErrnoException): WorkerRuntimeError {
  const repair = /certificate|self[- ]signed|CERT_/i.test(`${cause.message} ${cause.code}`)
    ? ' Pass the authority that signed its certificate as tls.ca, and check the name in it.'
    : '';
  return new WorkerRuntimeError('CONNECTION_LOST', `${target.text} cannot be reached: ${cause.message || cause.code}.${repair}`, {
    cause,
    details: { address: target.text, ...(cause.code === undefined ? {} : { systemCode: cause.code }) },
  });
}
