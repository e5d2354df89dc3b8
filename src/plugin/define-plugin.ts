import { nearest } from '../errors/nearest.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Context } from './context.js';
import { assertContract, type Contract, type MethodContract, type StreamContract, wireNameOf } from './contract.js';
import type {
  MethodHandlerParams,
  MethodHandlerResult,
  StreamHandlerInput,
  StreamHandlerItem,
  StreamHandlerParams,
  StreamHandlerResult,
} from './contract-types.js';
import type { Plugin, PluginOptions, RegisteredHandler } from './plugin.js';
import { assertTopicPattern } from './topic-pattern.js';
import type { Subject } from './validate.js';

/** Answers the calls of a method. What it throws reaches the caller: a `PluginError` with its own code, anything else as HANDLER_ERROR. */
export type MethodHandler<Params, Result> = (params: Params, ctx: Context) => Result | Promise<Result>;

/**
 * Answers the calls of a stream: an async generator (`async *name(params, ctx)`) that yields the items and returns the result. It goes on
 * only as fast as the caller reads, and when the caller leaves, it is left at its `yield`, so that its `finally` blocks run.
 */
export type StreamHandler<Params, Item, Result, Input> = (params: Params, ctx: Context<Input>) => AsyncGenerator<Item, Result, unknown>;

/** A handler for each method and stream of a contract. */
export type Handlers<C extends Contract> = {
  readonly [Name in keyof C['methods']]: MethodHandler<MethodHandlerParams<C, Name>, MethodHandlerResult<C, Name>>;
} & {
  readonly [Name in keyof C['streams']]: StreamHandler<
    StreamHandlerParams<C, Name>,
    StreamHandlerItem<C, Name>,
    StreamHandlerResult<C, Name>,
    StreamHandlerInput<C, Name>
  >;
};

/** A plugin without a contract: its handlers take and return whatever the wire carries, unchecked. */
export interface UntypedPlugin extends PluginOptions {
  /** The handlers of methods by name. */
  readonly methods?: Readonly<Record<string, MethodHandler<unknown, unknown>>>;
  /** The handlers of streams by name. */
  readonly streams?: Readonly<Record<string, StreamHandler<unknown, unknown, unknown, unknown>>>;
}

/**
 * Defines a plugin: a handler for each entry of its contract, and what it does beside (hooks, event handlers).
 *
 * ```ts
 * const plugin = definePlugin(summarizer, {
 *   async summarize({ text }, ctx) { ctx.log.info({ chars: text.length }, 'start'); return { summary: rank(text) }; },
 *   async *narrate({ text }) { yield text; return { finishReason: 'stop' }; },
 * });
 * await serve(plugin);
 * ```
 *
 * @throws INVALID_ARGUMENT if a handler is missing, belongs to no entry of the contract or is not a function, or an option is wrong.
 */
export function definePlugin<C extends Contract>(contract: C, handlers: NoInfer<Handlers<C>>, options?: PluginOptions): Plugin<C>;
/** Defines a plugin without a contract, for prototypes and for values that no schema describes. @throws INVALID_ARGUMENT as above. */
export function definePlugin(plugin: UntypedPlugin): Plugin;
export function definePlugin(first: Contract | UntypedPlugin, handlers?: object, options: PluginOptions = {}): Plugin {
  if (handlers !== undefined) return assemble(first as Contract, handlers, options);
  const { methods = {}, streams = {}, ...rest } = first as UntypedPlugin;
  const handed: object = first;
  for (const field of Object.keys(handed)) {
    if (!(untypedFields as readonly string[]).includes(field)) throw invalid(`A plugin has no field "${field}"${didYouMean(field, untypedFields)}.`);
  }
  const contract: Contract = { methods: emptyEntries(methods), streams: emptyEntries(streams) };
  const both: Record<string, unknown> = Object.create(null);
  return assemble(contract, Object.assign(both, methods, streams), rest);
}

const optionFields: readonly (keyof PluginOptions)[] = ['onLoad', 'onUnload', 'onInstall', 'onUninstall', 'on', 'concurrency'];
const untypedFields: readonly (keyof UntypedPlugin)[] = ['methods', 'streams', ...optionFields];

function assemble(contract: Contract, handlers: object, options: PluginOptions): Plugin {
  assertContract(contract);
  assertOptions(options);
  const names = [...Object.keys(contract.methods), ...Object.keys(contract.streams)];
  for (const name of Object.keys(handlers)) {
    if (!names.includes(name))
      throw invalid(`The handler "${name}" belongs to no entry of the contract${didYouMean(name, names)}. Add it to the contract, or remove it.`);
  }
  const registered = new Map<string, RegisteredHandler>();
  for (const [name, entry] of Object.entries(contract.methods)) register(registered, 'method', name, entry, handlers);
  for (const [name, entry] of Object.entries(contract.streams)) register(registered, 'stream', name, entry, handlers);
  return Object.freeze({ contract, options: Object.freeze({ ...options }), handlers: registered });
}

function register(
  registered: Map<string, RegisteredHandler>,
  kind: 'method' | 'stream',
  name: string,
  entry: MethodContract & StreamContract,
  handlers: object,
): void {
  // Only what was given counts, not what every object has: `toString` may be the name of a method.
  const handler: unknown = Object.hasOwn(handlers, name) ? (handlers as Record<string, unknown>)[name] : undefined;
  if (typeof handler !== 'function') {
    const shape = kind === 'method' ? 'async' : 'async *';
    throw invalid(`The ${kind} "${name}" of the contract has no handler. Add "${shape === 'async' ? 'async ' : shape}${name}(params, ctx) { … }".`);
  }
  const wireName = wireNameOf(name, entry);
  registered.set(wireName, {
    kind,
    wireName,
    run: (handler as RegisteredHandler['run']).bind(handlers),
    params: entry.params,
    result: entry.result,
    item: entry.item,
    input: entry.input,
    ofParams: paramsSubject(`The params of "${wireName}"`),
    ofResult: resultSubject(`The result of "${wireName}"`),
    ofItem: resultSubject(`An item of "${wireName}"`),
    ofInput: paramsSubject(`An input item of "${wireName}"`),
  });
}

function paramsSubject(what: string): Subject {
  return { code: 'INVALID_PARAMS', what, repair: 'Pass what the contract of the plugin asks for.', mayHaveRun: false };
}

function resultSubject(what: string): Subject {
  return { code: 'INVALID_RESULT', what, repair: 'The handler must return what its contract promises.', mayHaveRun: true };
}

function assertOptions(options: PluginOptions): void {
  for (const [field, value] of Object.entries(options)) {
    if (!(optionFields as readonly string[]).includes(field)) throw invalid(`A plugin has no option "${field}"${didYouMean(field, optionFields)}.`);
    if (value !== undefined && field.startsWith('on') && field !== 'on' && typeof value !== 'function')
      throw invalid(`"${field}" must be a function.`);
  }
  const { concurrency } = options;
  if (concurrency !== undefined && !(Number.isSafeInteger(concurrency) && concurrency >= 1))
    throw invalid('"concurrency" must be an integer from 1.');
  for (const [pattern, handler] of Object.entries(options.on ?? {})) {
    assertTopicPattern(pattern);
    if (typeof handler !== 'function') throw invalid(`The handler of the events "${pattern}" must be a function.`);
  }
}

function emptyEntries(handlers: object): Record<string, MethodContract> {
  const entries: Record<string, MethodContract> = Object.create(null);
  for (const name of Object.keys(handlers)) entries[name] = {};
  return entries;
}

function didYouMean(word: string, candidates: readonly string[]): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

function invalid(message: string): WorkerRuntimeError {
  return new WorkerRuntimeError('INVALID_ARGUMENT', message);
}
