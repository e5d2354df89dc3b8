import type { TransitionTable } from './transition-table.js';

/** The states of a worker. */
export const workerStates = ['starting', 'ready', 'disconnected', 'draining', 'stopping', 'exited'] as const;
/** A state of a worker: one running incarnation of a plugin. */
export type WorkerState = (typeof workerStates)[number];

/** What happens to a worker. */
export const workerEvents = [
  'loaded',
  'stop-requested',
  'peer-drains',
  'drained',
  'channel-lost',
  'resumable-loss',
  'resumed',
  'failed',
  'exit-overdue',
  'exited',
] as const;
/** An event of a worker's life. */
export type WorkerEvent = (typeof workerEvents)[number];

/** What a transition asks the worker to do. */
export const workerEffects = ['announce', 'watch-liveness', 'drain', 'await-idle', 'unload', 'terminate', 'kill'] as const;
/** An effect of a worker's transition. */
export type WorkerEffect = (typeof workerEffects)[number];

/**
 * The life of a worker. `unload` runs on_unload, says goodbye and waits for the exit; `terminate` sends SIGTERM and, when the exit is
 * overdue, `kill` sends SIGKILL. Whatever happens, every path ends in `exited`, and only the end of the process leads there.
 */
export const workerTable: TransitionTable<WorkerState, WorkerEvent, WorkerEffect> = {
  starting: {
    loaded: { to: 'ready', effects: ['announce', 'watch-liveness'] },
    'stop-requested': { to: 'stopping', effects: ['announce', 'terminate'] },
    'channel-lost': { to: 'stopping', effects: ['announce', 'terminate'] },
    failed: { to: 'stopping', effects: ['announce', 'terminate'] },
    exited: { to: 'exited', effects: ['announce'] },
  },
  ready: {
    'stop-requested': { to: 'draining', effects: ['announce', 'drain', 'await-idle'] },
    'peer-drains': { to: 'draining', effects: ['announce', 'await-idle'] },
    'channel-lost': { to: 'stopping', effects: ['announce', 'terminate'] },
    'resumable-loss': { to: 'disconnected', effects: ['announce'] },
    failed: { to: 'stopping', effects: ['announce', 'kill'] },
    exited: { to: 'exited', effects: ['announce'] },
  },
  disconnected: {
    resumed: { to: 'ready', effects: ['announce', 'watch-liveness'] },
    'stop-requested': { to: 'stopping', effects: ['announce', 'terminate'] },
    'channel-lost': { to: 'stopping', effects: ['announce', 'terminate'] },
    failed: { to: 'stopping', effects: ['announce', 'kill'] },
    exited: { to: 'exited', effects: ['announce'] },
  },
  draining: {
    // Whoever asks again may be in more of a hurry.
    'stop-requested': { to: 'draining', effects: ['await-idle'] },
    drained: { to: 'stopping', effects: ['announce', 'unload'] },
    'channel-lost': { to: 'stopping', effects: ['announce', 'terminate'] },
    failed: { to: 'stopping', effects: ['announce', 'kill'] },
    exited: { to: 'exited', effects: ['announce'] },
  },
  stopping: {
    'channel-lost': { to: 'stopping', effects: ['terminate'] },
    failed: { to: 'stopping', effects: ['kill'] },
    'exit-overdue': { to: 'stopping', effects: ['terminate'] },
    exited: { to: 'exited', effects: ['announce'] },
  },
  exited: {},
};
