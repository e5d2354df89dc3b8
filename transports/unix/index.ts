/**
 * Connections over Unix sockets, and `fromDuplex` for authors of further transports over byte streams.
 *
 * @packageDocumentation
 */
export type { CloseReason, Connection, ConnectionHandlers, ConnectionPeer, Transport, TransportListener } from '../../src/interfaces/transport.js';
export { type DuplexConnectionOptions, fromDuplex } from '../byte-stream/duplex-connection.js';
export type { UnixTransportOptions } from './unix-options.js';
export { unixTransport } from './unix-transport.js';
