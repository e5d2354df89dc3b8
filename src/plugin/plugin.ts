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
  /** Whether it answers calls or streams. */
  readonly kind: 'method' | 'stream';
  /** Its name on the wire. */
  readonly wireName: string;
  /** Calls the author's function: the result or a promise of it for a method, an async generator for a stream. */
  readonly run: (params: unknown, ctx: Context) => unknown;
  /** Validator of the params. */
  readonly params: StandardSchema | undefined;
  /** Validator of the result. */
  readonly result: StandardSchema | undefined;
  /** Validator of the items that it yields. */
  readonly item: StandardSchema | undefined;
  /** Validator of the items that the caller sends. */
  readonly input: StandardSchema | undefined;
  /** How wrong params are named. */
  readonly ofParams: Subject;
  /** How a wrong result is named. */
  readonly ofResult: Subject;
  /** How a wrong item is named. */
  readonly ofItem: Subject;
  /** How a wrong item of the caller is named. */
  readonly ofInput: Subject;
}

/** A plugin: what `definePlugin` makes, and `serve` or `runPlugin` runs. */
export interface Plugin<C extends Contract = Contract> {
  /** What it offers. */
  readonly contract: C;
  /** Its hooks and event handlers. */
  readonly options: PluginOptions;
  /** The handlers by their name on the wire. */
  readonly handlers: ReadonlyMap<string, RegisteredHandler>;
}
