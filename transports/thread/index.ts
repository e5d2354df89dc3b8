/**
 * Connections to other threads of the same process, over a MessagePort, and the channel of a plugin that runs in a thread.
 *
 * A thread is no isolation: it can read the memory of the process, close its descriptors and end it. Only for code that is trusted as the host itself.
 *
 * @packageDocumentation
 */
export type { CloseReason, Connection, ConnectionHandlers, ConnectionPeer } from '../../src/interfaces/transport.js';
export { fromMessagePort, type PortConnection, type PortConnectionOptions } from './port-connection.js';
export { openThreadChannel, type ThreadChannel } from './thread-channel.js';
