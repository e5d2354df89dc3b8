/**
 * Connections over byte streams of Node, and the channel that a launched worker was given: descriptor 3 or a Unix socket.
 *
 * @packageDocumentation
 */
export type { CloseReason, Connection, ConnectionHandlers, ConnectionPeer } from '../../src/interfaces/transport.js';
export { describeLaunch, type LaunchDescription } from './describe-launch.js';
export { type DuplexConnectionOptions, fromDuplex } from './duplex-connection.js';
export { openWorkerChannel, type WorkerChannel } from './worker-channel.js';
