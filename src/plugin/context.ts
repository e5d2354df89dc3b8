import type { Logger } from '../interfaces/logger.js';
import type { WireGrant } from '../messages/message.js';
import type { SessionCallOptions } from '../session/call-options.js';
import type { CallStream } from '../session/call-stream.js';
import type { InboundMessageInput } from './kinds/messages.js';
import type { PluginConfig } from './plugin-config.js';

/** One level of a plugin's log: fields and a message as with pino, or a message alone. */
export interface PluginLogFunction {
  /** Logs a message with fields, as pino does. An error stands under `err` by custom. */
  (fields: Readonly<Record<string, unknown>>, message: string): void;
  /** Logs a message alone. */
  (message: string): void;
}

/**
 * The plugin's log: its lines go to the host. Never throws and never waits; while the host takes none, up to 1,000 lines are kept and then
 * the oldest dropped, which a line of the log says. Values of the plugin's secret configuration are replaced by `[secret]`. What cannot be
 * sent as it is (errors, dates, maps, class instances) is sent in a readable form, and long values are cut.
 */
export interface PluginLog extends Logger {
  /** For whoever looks for a fault. */
  readonly debug: PluginLogFunction;
  /** For what happens in the ordinary course. */
  readonly info: PluginLogFunction;
  /** For what somebody should look at. */
  readonly warn: PluginLogFunction;
  /** For what failed. */
  readonly error: PluginLogFunction;
  /** For what ends the plugin. */
  readonly fatal: PluginLogFunction;
}

/** An event of the bus, as a handler receives it. */
export interface PluginEvent {
  /** Id of the event, made by the host. */
  readonly id: string;
  /** Segments parted by dots. */
  readonly topic: string;
  /** Id of the plugin that published it, or the host's word for another source. */
  readonly source: string;
  /** ISO 8601 time. */
  readonly timestamp: string;
  /** What the publisher sent along, unchecked. */
  readonly payload: unknown;
  /** What the publisher gave, to find what belongs together. */
  readonly correlationId: string | undefined;
  /** How many events were dropped before this one, because the plugin was slower than the publishers. */
  readonly missed: number;
}

/** Handles the events of a pattern, one after the other. What it throws is logged. */
export type EventHandler = (event: PluginEvent, ctx: PluginContext) => void | Promise<void>;

/** The topic bus. Needs the capabilities `events.publish` and `events.subscribe`. */
export interface PluginEvents {
  /** Publishes an event. Rejects with CAPABILITY_DENIED where the topic is not granted. */
  publish(topic: string, payload?: unknown, options?: { readonly correlationId?: string | undefined }): Promise<{ readonly id: string }>;
  /**
   * Subscribes to the topics of a pattern (`mail.*`, `mail.**`) until the plugin is unloaded.
   * @returns a function that ends the subscription.
   */
  subscribe(pattern: string, handler: EventHandler): Promise<() => Promise<void>>;
}

/** The plugin's own key-value storage at the host. Needs `storage.read` and `storage.write`. */
export interface PluginStorage {
  /** The value, or undefined if there is none. Keys have 1 to 512 characters. */
  get(key: string): Promise<unknown>;
  /** Stores a value: anything that the wire carries. */
  set(key: string, value: unknown): Promise<void>;
  /** Removes a value; whether there was one. */
  delete(key: string): Promise<boolean>;
  /** The keys that begin with `prefix`; all without one. */
  list(prefix?: string): Promise<readonly string[]>;
}

/** The host's agents. Needs `agents.message`. */
export interface PluginAgents {
  /** Hands a message to the host's agents. */
  message(inbound: InboundMessageInput): Promise<{ readonly accepted: boolean }>;
}

/** How a plugin calls its host: as a call of a session, nested by itself. */
export type HostCallOptions = Pick<
  SessionCallOptions,
  'timeoutMs' | 'idleTimeoutMs' | 'signal' | 'onProgress' | 'idempotencyKey' | 'actingFor' | 'traceparent' | 'transfer' | 'input'
>;

/**
 * What a plugin has at hand everywhere: in its hooks and event handlers, and, as {@link Context}, in its handlers. It stays usable as long as the session
 * with the host lasts. Its functions may be taken out of it: `async (params, { log, call }) => …`.
 */
export interface PluginContext {
  /** The plugin's configuration: validated by the host, defaults filled in. */
  readonly config: PluginConfig;
  /** The plugin's log at the host. */
  readonly log: PluginLog;
  /** The topic bus of the host. */
  readonly events: PluginEvents;
  /** The plugin's own storage at the host. */
  readonly storage: PluginStorage;
  /** The host's agents. */
  readonly agents: PluginAgents;
  /** Hands a message of this channel to the host's agents: the same as `agents.message`. */
  readonly routeMessage: PluginAgents['message'];
  /** What the plugin was granted, as the host said last. The host decides anew at each call. */
  readonly grants: readonly WireGrant[];
  /** Whether there is a grant of this capability, whatever its scope, that has not expired. */
  readonly hasGrant: (capability: string) => boolean;
  /** Whether the plugin is about to be stopped: finish what is begun and start nothing new. */
  readonly draining: boolean;
  /** Aborted when nobody waits any more: in a handler when its call is over, elsewhere when the session with the host ends. Made on first use. */
  readonly signal: AbortSignal;
  /** Tells the host how the plugin is. */
  readonly health: (status: 'ok' | 'degraded' | 'failing', message?: string) => Promise<void>;
  /**
   * Calls a method of the host. In a handler the call is nested: it has what is left of the handler's time at most and is cancelled with it.
   * Rejects with CAPABILITY_DENIED, naming capability and scope, where it is not granted; left uncaught, the denial reaches the handler's caller.
   */
  readonly call: (method: string, params?: unknown, options?: HostCallOptions) => Promise<unknown>;
  /** Starts a stream of the host, nested as with `call`. */
  readonly stream: (method: string, params?: unknown, options?: HostCallOptions) => CallStream;
  /** Who the host takes the plugin for. */
  readonly plugin: { readonly id: string; readonly version: string };
  /** Counts the incarnations of this plugin's worker, from 1. */
  readonly generation: number;
}

/** What a handler has at hand beside its params. */
export interface Context<Input = unknown> extends PluginContext {
  /** Whether the caller no longer waits. */
  readonly cancelled: boolean;
  /** When the caller stops waiting; undefined where there is no limit. */
  readonly deadline: Date | undefined;
  /** Milliseconds until then, never negative; `Infinity` where there is no limit. */
  readonly remainingMs: number;
  /** Tells the caller how far the work is. `fraction` is 0 to 1, or undefined where that is not known. */
  readonly progress: (fraction: number | undefined, message?: string, data?: unknown) => void;
  /** The items that the caller sends, validated; empty unless it sends any. Can be iterated once. */
  readonly items: AsyncIterable<Input>;
  /** The caller's promise that repeating the call with the same key does no harm. */
  readonly idempotencyKey: string | undefined;
  /** Id of the plugin on whose behalf the host makes the call. */
  readonly actingFor: string | undefined;
  /**
   * Gives the memory of binary data away and returns the data, to be part of a result or an item: `return { image: ctx.transfer(image) }`. Large data is then sent
   * without a copy; it must not be touched any more, and is detached in a thread. Without it everything is copied when it is sent.
   */
  readonly transfer: <Data extends Uint8Array<ArrayBuffer>>(data: Data) => Data;
}
