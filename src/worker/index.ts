export type { WorkerOffer } from './worker-offer.js';
export { defaultTimings, type WorkerTimings } from './worker-options.js';
export { type WorkerState, workerStates } from './worker-table.js';
