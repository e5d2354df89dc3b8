import type { Context, EventHandler, PluginContext } from './context.js';
import type { Contract } from './contract.js';
import type { StandardSchema } from './standard-schema.js';
import type { Subject } from './validate.js';

/** What a plugin does beside answering calls. */
export interface PluginOptions {
  /** Runs once, before any call; if it fails the worker's start fails. Calls to the host are allowed. */
  onLoad?(ctx: PluginContext): void | Promise<void>;
  /** Runs once, after the calls in flight have ended, before the worker exits. An error is logged. */
  onUnload?(ctx: PluginContext): void | Promise<void>;
  /** Runs when the plugin is installed. */
  onInstall?(ctx: PluginContext): void | Promise<void>;
  /** Runs when the plugin is removed. */
  onUninstall?(ctx: PluginContext): void | Promise<void>;
  /**
   * Handlers of events by topic pattern: segments parted by dots, `*` stands for one segment, `**` at the end for one or more. The patterns
   * are subscribed to when the plugin is loaded, which needs `events.subscribe`; a denial fails the start. The events of a pattern are handled one after the other.
   */
  readonly on?: Readonly<Record<string, EventHandler>>;
  /** How many calls the plugin handles at a time, if fewer than the host allows; more are answered OVERLOADED. */
  readonly concurrency?: number;
}

/** A method or stream that a plugin has registered. */
export interface RegisteredHandler {
  readonly kind: 'method' | 'stream';
  readonly wireName: string;
  /** Calls the author's function: the result or a promise of it for a method, an async generator for a stream. */
  readonly run: (params: unknown, ctx: Context) => unknown;
  readonly params: StandardSchema | undefined;
  readonly result: StandardSchema | undefined;
  readonly item: StandardSchema | undefined;
  readonly input: StandardSchema | undefined;
  readonly ofParams: Subject;
  readonly ofResult: Subject;
  readonly ofItem: Subject;
  readonly ofInput: Subject;
}

/** A plugin: what `definePlugin` makes, and `serve` or `runPlugin` runs. */
export interface Plugin<C extends Contract = Contract> {
  readonly contract: C;
  readonly options: PluginOptions;
  /** The handlers by their name on the wire. */
  readonly handlers: ReadonlyMap<string, RegisteredHandler>;
}
