import type { SessionCallOptions } from '../session/call-options.js';
import type { Contract, MethodContract, StreamContract } from './contract.js';
import type { SchemaInput, SchemaOutput, StandardSchema } from './standard-schema.js';

/** What goes into the schema in field `Field`; `unknown` where the entry has none. */
export type ContractInput<Entry, Field extends string> = Entry extends { readonly [F in Field]: infer Schema extends StandardSchema }
  ? SchemaInput<Schema>
  : unknown;
/** What comes out of the schema in field `Field`; `unknown` where the entry has none. */
export type ContractOutput<Entry, Field extends string> = Entry extends { readonly [F in Field]: infer Schema extends StandardSchema }
  ? SchemaOutput<Schema>
  : unknown;

/** What a caller passes to the method `Name`. */
export type MethodParams<C extends Contract, Name extends keyof C['methods']> = ContractInput<C['methods'][Name], 'params'>;
/** What a caller of the method `Name` receives. */
export type MethodResult<C extends Contract, Name extends keyof C['methods']> = ContractOutput<C['methods'][Name], 'result'>;
/** What the handler of the method `Name` receives: params after validation, defaults filled in. */
export type MethodHandlerParams<C extends Contract, Name extends keyof C['methods']> = ContractOutput<C['methods'][Name], 'params'>;
/** What the handler of the method `Name` returns. */
export type MethodHandlerResult<C extends Contract, Name extends keyof C['methods']> = ContractInput<C['methods'][Name], 'result'>;

/** What a caller passes to the stream `Name`. */
export type StreamParams<C extends Contract, Name extends keyof C['streams']> = ContractInput<C['streams'][Name], 'params'>;
/** The items that a caller of the stream `Name` reads. */
export type StreamItem<C extends Contract, Name extends keyof C['streams']> = ContractOutput<C['streams'][Name], 'item'>;
/** What a caller of the stream `Name` receives in the end. */
export type StreamResult<C extends Contract, Name extends keyof C['streams']> = ContractOutput<C['streams'][Name], 'result'>;
/** The items that a caller of the stream `Name` sends. */
export type StreamInput<C extends Contract, Name extends keyof C['streams']> = ContractInput<C['streams'][Name], 'input'>;
/** What the handler of the stream `Name` receives. */
export type StreamHandlerParams<C extends Contract, Name extends keyof C['streams']> = ContractOutput<C['streams'][Name], 'params'>;
/** What the handler of the stream `Name` yields. */
export type StreamHandlerItem<C extends Contract, Name extends keyof C['streams']> = ContractInput<C['streams'][Name], 'item'>;
/** What the handler of the stream `Name` returns. */
export type StreamHandlerResult<C extends Contract, Name extends keyof C['streams']> = ContractInput<C['streams'][Name], 'result'>;
/** The caller's items as the handler of the stream `Name` reads them from `ctx.items`. */
export type StreamHandlerInput<C extends Contract, Name extends keyof C['streams']> = ContractOutput<C['streams'][Name], 'input'>;

/** How a call is made through a contract. */
export type ContractCallOptions = Pick<
  SessionCallOptions,
  'timeoutMs' | 'signal' | 'onProgress' | 'idempotencyKey' | 'actingFor' | 'traceparent' | 'transfer'
>;
/** How a stream is started through a contract. */
export type ContractStreamOptions = ContractCallOptions & Pick<SessionCallOptions, 'idleTimeoutMs'>;

/**
 * A stream that was started: it can be iterated once, and leaving the loop cancels it. A `CallStream` of a session is one.
 */
export interface ContractStream<Item = unknown, Result = unknown> extends AsyncIterable<Item> {
  /** Settles when the call ends; never causes an unhandled rejection. */
  readonly result: Promise<Result>;
  /** The items, once. @throws STREAM_CONSUMED the second time. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Item>;
  /** Ends the stream early: the callee is told, the iteration and `result` fail with `CANCELLED`. */
  cancel(reason?: string): void;
}

/** Arguments whose first may be left out where `undefined` is acceptable. */
export type CallArguments<Params, Options> = undefined extends Params ? [params?: Params, options?: Options] : [params: Params, options?: Options];

/** A method of a typed client. */
export type ClientMethod<Entry extends MethodContract, Extra = unknown> = (
  ...args: CallArguments<ContractInput<Entry, 'params'>, ContractCallOptions & Extra>
) => Promise<ContractOutput<Entry, 'result'>>;

/** A stream of a typed client. One with `input` takes the items to send in its options. */
export type ClientStream<Entry extends StreamContract, Extra = unknown> = Entry extends { readonly input: StandardSchema }
  ? (
      params: ContractInput<Entry, 'params'>,
      options: ContractStreamOptions & Extra & { readonly input: AsyncIterable<ContractInput<Entry, 'input'>> },
    ) => ContractStream<ContractOutput<Entry, 'item'>, ContractOutput<Entry, 'result'>>
  : (
      ...args: CallArguments<ContractInput<Entry, 'params'>, ContractStreamOptions & Extra>
    ) => ContractStream<ContractOutput<Entry, 'item'>, ContractOutput<Entry, 'result'>>;

/**
 * The typed object for the callers of a plugin: a function for each method and stream of the contract. Made by
 * `plugin.as(contract)` of the host, or {@link createContractClient}. `Extra` are options that its caller takes beside those of every call.
 */
export type ContractClient<C extends Contract, Extra = unknown> = {
  readonly [Name in keyof C['methods']]: ClientMethod<C['methods'][Name], Extra>;
} & {
  readonly [Name in keyof C['streams']]: ClientStream<C['streams'][Name], Extra>;
};
