import type { TransitionTable } from '../worker/transition-table.js';

/** The states of a plugin. In the host project's words `active` is ACTIVE, `quarantined` ERROR, `disabled` DISABLED. */
export const pluginStates = ['idle', 'pending', 'starting', 'active', 'backoff', 'quarantined', 'disabled', 'stopping'] as const;
/** A state of a plugin. */
export type PluginState = (typeof pluginStates)[number];

/** What happens to a plugin. */
export const pluginEvents = [
  'start',
  'approval-needed',
  'ready',
  'failed-retry',
  'failed-final',
  'await-dial-in',
  'retry-due',
  'stop',
  'disable',
  'stopped',
  'stopped-disabled',
  'enable',
] as const;
/** An event of a plugin's life. */
export type PluginEvent = (typeof pluginEvents)[number];

/** What a transition asks the supervisor to do. */
export const pluginEffects = ['announce', 'launch', 'schedule-retry', 'cancel-retry', 'stop-worker'] as const;
/** An effect of a plugin's transition. */
export type PluginEffect = (typeof pluginEffects)[number];

/**
 * The life of a plugin. `failed-retry` and `failed-final` say that a start failed or the worker was lost; which of the two it is,
 * the restart policy decides. `await-dial-in` says the same of a worker that dialled in: the host cannot start another, and the next one that
 * dials in starts the plugin, without an operator.
 */
export const pluginTable: TransitionTable<PluginState, PluginEvent, PluginEffect> = {
  idle: {
    start: { to: 'starting', effects: ['announce', 'launch'] },
    'approval-needed': { to: 'pending', effects: ['announce'] },
    disable: { to: 'disabled', effects: ['announce'] },
  },
  pending: {
    // Asked again, and still not approved: only the reason may be another.
    'approval-needed': { to: 'pending', effects: [] },
    start: { to: 'starting', effects: ['announce', 'launch'] },
    stop: { to: 'idle', effects: ['announce'] },
    disable: { to: 'disabled', effects: ['announce'] },
  },
  starting: {
    ready: { to: 'active', effects: ['announce'] },
    'await-dial-in': { to: 'idle', effects: ['announce'] },
    'failed-retry': { to: 'backoff', effects: ['announce', 'schedule-retry'] },
    'failed-final': { to: 'quarantined', effects: ['announce'] },
    stop: { to: 'stopping', effects: ['announce', 'stop-worker'] },
    disable: { to: 'stopping', effects: ['announce', 'stop-worker'] },
  },
  active: {
    'await-dial-in': { to: 'idle', effects: ['announce'] },
    'failed-retry': { to: 'backoff', effects: ['announce', 'schedule-retry'] },
    'failed-final': { to: 'quarantined', effects: ['announce'] },
    stop: { to: 'stopping', effects: ['announce', 'stop-worker'] },
    disable: { to: 'stopping', effects: ['announce', 'stop-worker'] },
  },
  backoff: {
    'retry-due': { to: 'starting', effects: ['announce', 'launch'] },
    start: { to: 'starting', effects: ['cancel-retry', 'announce', 'launch'] },
    stop: { to: 'idle', effects: ['cancel-retry', 'announce'] },
    disable: { to: 'disabled', effects: ['cancel-retry', 'announce'] },
  },
  quarantined: {
    start: { to: 'starting', effects: ['announce', 'launch'] },
    'approval-needed': { to: 'pending', effects: ['announce'] },
    stop: { to: 'idle', effects: ['announce'] },
    disable: { to: 'disabled', effects: ['announce'] },
  },
  disabled: {
    enable: { to: 'idle', effects: ['announce'] },
  },
  stopping: {
    stopped: { to: 'idle', effects: ['announce'] },
    'stopped-disabled': { to: 'disabled', effects: ['announce'] },
  },
};
