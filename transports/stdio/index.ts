export { describeLaunch, type LaunchDescription } from './describe-launch.js';
export { type DuplexConnectionOptions, fromDuplex } from './duplex-connection.js';
export { openWorkerChannel, type WorkerChannel } from './worker-channel.js';
