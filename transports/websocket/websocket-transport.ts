import type { Transport } from '../../src/interfaces/transport.js';
import { dialWebSocket } from './dial-websocket.js';
import { listenWebSocket } from './listen-websocket.js';
import { type WebSocketTransportOptions, webSocketSettings } from './websocket-options.js';

/**
 * WebSockets, as `wss://host:port/path`; `ws:` for this machine only, unless `allowInsecure` is set. Messages are binary, uncompressed and of bounded
 * size; requests of web pages are refused unless `allowOrigins` names their origin.
 *
 * `listen` makes a server of its own (port 0: any free one; an empty address: any free port of this machine), or attaches to `server`. Whoever connects is not authenticated by this transport, unless
 * `tls.requireClientCertificate` is set; that is what the token of the handshake is for.
 *
 * @throws WorkerRuntimeError `INVALID_ARGUMENT` if an option is not acceptable. `dial` and `listen` reject with `INVALID_ARGUMENT` for an address that is
 * not acceptable, `listen` with `INVALID_STATE` where the port cannot be had, `dial` with `CONNECTION_LOST` where nobody answers as expected, and with
 * `CANCELLED`.
 */
export function webSocketTransport(options: WebSocketTransportOptions = {}): Transport {
  const settings = webSocketSettings(options);
  return {
    name: 'websocket',
    dial: (address, { signal } = {}) => dialWebSocket(address, settings, signal),
    listen: (address, accept) => listenWebSocket(address, settings, accept),
  };
}
