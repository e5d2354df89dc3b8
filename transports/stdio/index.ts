/**
 * Connections over byte streams of Node, and the channel that a launched worker was given: descriptor 3, a Unix socket, or standard input and output.
 *
 * @packageDocumentation
 */
export type { CloseReason, Connection, ConnectionHandlers, ConnectionPeer } from '../../src/interfaces/transport.js';
export { type DuplexConnectionOptions, fromDuplex } from '../byte-stream/duplex-connection.js';
export { describeLaunch, type LaunchDescription } from './describe-launch.js';
export { openWorkerChannel, type WorkerChannel } from './worker-channel.js';
