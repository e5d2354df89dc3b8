import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';

/** A `ws:` or `wss:` address, taken apart. */
export interface WebSocketAddress {
  /** As it was given, without what follows a `?`, which may hold a secret. For logs. */
  readonly text: string;
  readonly secure: boolean;
  /** A name or an IP address, the latter without brackets. */
  readonly host: string;
  readonly port: number;
  /** Begins with `/`. */
  readonly path: string;
  readonly url: URL;
}

/** @throws INVALID_ARGUMENT */
export function readWebSocketAddress(address: string): WebSocketAddress {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || (url.protocol !== 'ws:' && url.protocol !== 'wss:') || url.hostname === '')
    throw invalid(`The address ${JSON.stringify(address.split('?')[0])} is none of a WebSocket; write wss://HOST:PORT/PATH.`);
  if (url.username !== '' || url.password !== '') throw invalid('An address must not hold a user name or password; they would end up in logs.');
  if (url.hash !== '') throw invalid(`The address ${url.origin} must not have a part behind "#".`);
  const secure = url.protocol === 'wss:';
  return {
    text: `${url.protocol}//${url.host}${url.pathname}`,
    secure,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    path: url.pathname,
    url,
  };
}

/** Bytes in the clear stay on this machine, unless the embedder says that they need not. @throws INVALID_ARGUMENT */
export function refuseClearText({ text, secure, host }: WebSocketAddress, allowInsecure: boolean): void {
  if (secure || allowInsecure || isLoopback(host)) return;
  throw invalid(`${text} would send tokens and data in the clear; use wss:, or pass allowInsecure: true where the network itself is protected.`);
}

/** Whether a host is this machine: `localhost`, 127.0.0.0/8 or ::1, the latter two also in their mapped forms. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost' || host === '::1') return true;
  return /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(host) || /^::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}$/i.test(host);
}

function invalid(message: string): WorkerRuntimeError {
  return new WorkerRuntimeError('INVALID_ARGUMENT', message);
}
