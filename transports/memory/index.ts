/**
 * Connections within one process, with faults on demand: for tests and simulations.
 *
 * @packageDocumentation
 */
export type { Clock, Timer } from '../../src/interfaces/platform.js';
export type { CloseReason, Connection, ConnectionHandlers, ConnectionPeer, Transport, TransportListener } from '../../src/interfaces/transport.js';
export type { Delay, FaultControl } from './fault-control.js';
export { createMemoryPair, type MemoryPair, type MemoryPairOptions } from './memory-pair.js';
export { type MemoryTransportOptions, memoryTransport } from './memory-transport.js';
