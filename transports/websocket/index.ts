/**
 * Connections over WebSockets: for workers and controllers that dial in from elsewhere, with TLS.
 *
 * @packageDocumentation
 */
export type { CloseReason, Connection, ConnectionHandlers, ConnectionPeer, Transport, TransportListener } from '../../src/interfaces/transport.js';
export { fromWebSocket, type WebSocketConnectionOptions } from './websocket-connection.js';
export type { WebSocketLike } from './websocket-like.js';
export type { WebSocketTls, WebSocketTransportOptions } from './websocket-options.js';
export { webSocketTransport } from './websocket-transport.js';
