export type { IsolationLevel, LaunchedWorker, Launcher, LaunchRequest, Stragglers, WorkerExit } from './launcher.js';
export { type LogFunction, type Logger, silentLogger } from './logger.js';
export type { Clock, Crypto, Platform, Random, Timer } from './platform.js';
export type { CloseReason, Connection, ConnectionHandlers, ConnectionPeer, Transport, TransportListener } from './transport.js';
