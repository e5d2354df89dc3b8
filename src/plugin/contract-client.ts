import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { SessionCallOptions } from '../session/call-options.js';
import { assertContract, type Contract, type MethodContract, type StreamContract, wireNameOf } from './contract.js';
import type { ContractClient, ContractStream, ContractStreamOptions } from './contract-types.js';
import { type Subject, validate } from './validate.js';
import { validatedItems } from './validated-items.js';
import { resultSubject, ValidatedStream } from './validated-stream.js';

/** The options that a {@link ContractCaller} receives: the caller's, with the contract's defaults filled in. */
export type ContractCallerOptions = ContractStreamOptions & {
  /** Items to send to the callee. */
  readonly input?: SessionCallOptions['input'];
  /** Whether the contract calls the method idempotent: repeating the call does no harm. */
  readonly idempotent?: boolean | undefined;
};

/** What makes the calls of a contract's client: a plugin handle, or a session. */
export interface ContractCaller<Extra = unknown> {
  /** Calls a method by its name on the wire. */
  call(method: string, params: unknown, options: ContractCallerOptions & Extra): Promise<unknown>;
  /** Starts a stream by its name on the wire. May throw what a call would reject with before anything was sent. */
  stream(method: string, params: unknown, options: ContractCallerOptions & Extra): ContractStream;
}

/**
 * The typed client of a contract.
 *
 * Params are validated before they are sent, so that wrong ones cost no round trip (`INVALID_PARAMS`), and sent as they were given: the
 * plugin validates, fills in defaults and transforms. Results and items are validated as they arrive, since a plugin is not trusted to keep
 * to its contract (`INVALID_RESULT`). Where the validator of a stream's params is asynchronous the plugin alone checks them.
 *
 * @throws INVALID_ARGUMENT if the contract is not one that `defineContract` would make.
 */
export function createContractClient<C extends Contract, Extra = unknown>(contract: C, caller: ContractCaller<Extra>): ContractClient<C, Extra> {
  assertContract(contract);
  // What is extra in the options goes through as it is.
  const untyped = caller as ContractCaller;
  // No prototype: a method may be called `constructor` or `toString`, and what the contract does not name is not there.
  const client: Record<string, unknown> = Object.create(null);
  for (const [name, entry] of Object.entries(contract.methods)) client[name] = methodOf(name, entry, untyped);
  for (const [name, entry] of Object.entries(contract.streams)) client[name] = streamOf(name, entry, untyped);
  return client as ContractClient<C, Extra>;
}

type Method = (params?: unknown, options?: ContractCallerOptions) => Promise<unknown>;
type Stream = (params?: unknown, options?: ContractCallerOptions) => ContractStream;

function methodOf(name: string, entry: MethodContract, caller: ContractCaller): Method {
  const wireName = wireNameOf(name, entry);
  const ofParams = paramsSubject(`The params of "${name}"`);
  const ofResult = resultSubject(`The result of "${name}"`);
  const send: Method = (params, options = {}) => {
    const filled = entry.timeoutMs === undefined && entry.idempotent === undefined ? options : fillIn(options, entry);
    const answer = caller.call(wireName, params, filled);
    const { result } = entry;
    return result === undefined ? answer : answer.then((value) => validate(result, value, ofResult));
  };
  return (params, options) => {
    try {
      if (entry.params === undefined) return send(params, options);
      const checked = validate(entry.params, params, ofParams);
      return checked instanceof Promise ? checked.then(() => send(params, options)) : send(params, options);
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

function streamOf(name: string, entry: StreamContract, caller: ContractCaller): Stream {
  const wireName = wireNameOf(name, entry);
  const ofParams = paramsSubject(`The params of "${name}"`);
  const ofInput = paramsSubject(`An input item of "${name}"`);
  return (params, options = {}) => {
    if (entry.params !== undefined) {
      const checked = validate(entry.params, params, ofParams);
      // A stream is returned at once, so that nothing can be awaited here; the plugin refuses what is wrong.
      if (checked instanceof Promise) checked.catch(() => {});
    }
    const { input } = options;
    if (entry.input !== undefined && input === undefined) {
      throw new WorkerRuntimeError('INVALID_ARGUMENT', `"${name}" needs the items to send: pass { input } in its options.`);
    }
    const stream = caller.stream(wireName, params, {
      ...options,
      idleTimeoutMs: options.idleTimeoutMs ?? entry.idleTimeoutMs,
      ...(entry.input === undefined || input === undefined
        ? {}
        : { input: validatedItems(input, { schema: entry.input, subject: ofInput, give: 'given' }) }),
    });
    return entry.item === undefined && entry.result === undefined ? stream : new ValidatedStream(stream, name, entry);
  };
}

function fillIn(options: ContractCallerOptions, entry: MethodContract): ContractCallerOptions {
  return { ...options, timeoutMs: options.timeoutMs ?? entry.timeoutMs, idempotent: entry.idempotent };
}

function paramsSubject(what: string): Subject {
  return { code: 'INVALID_PARAMS', what, repair: 'Nothing was sent; pass what the contract asks for.', mayHaveRun: false };
}
