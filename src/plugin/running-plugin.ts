import type { SessionEnd } from '../session/session.js';
import type { PluginLog } from './context.js';

/** How a plugin leaves by itself. */
export interface StopOptions {
  /** How long calls in flight may take. Default 10,000 ms. */
  readonly graceMs?: number;
  /** A sentence for the host's log. */
  readonly reason?: string;
}

/** A plugin that has shaken hands with its host. */
export interface RunningPlugin {
  /** Who the host takes it for. */
  readonly plugin: { readonly id: string; readonly version: string };
  /** The plugin's log, for what happens outside of handlers. */
  readonly log: PluginLog;
  /** Resolves when the session ends, in whatever way. */
  readonly ended: Promise<SessionEnd>;
  /** Resolves when the session has ended, what was sent is flushed or given up, and every handler has returned; never if one hangs. */
  readonly finished: Promise<void>;
  /** Whether a goodbye was received or said. */
  readonly saidGoodbye: boolean;
  /** The text without the values of the plugin's secret configuration. */
  redact(text: string): string;
  /**
   * Leaves in order: takes no new calls, lets those in flight end within the grace time, runs `onUnload`, says goodbye. Idempotent.
   * Resolves when the connection is closed.
   */
  stop(options?: StopOptions): Promise<SessionEnd>;
  /** Leaves at once because of a fault, with a goodbye that says so. Resolves when what was sent is flushed or given up. */
  fail(message: string): Promise<void>;
}
