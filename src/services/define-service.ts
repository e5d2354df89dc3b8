import type { Attempt, Capability } from '../capabilities/capability.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { StandardSchema } from '../plugin/standard-schema.js';

/** Who calls a service, and how long it waits. */
export interface ServiceCall {
  readonly pluginId: string;
  readonly workerId: string;
  /** Counts the incarnations of the plugin's worker. */
  readonly generation: number;
  /** Aborted when the worker no longer waits, its call was revoked, or it is gone. */
  readonly signal: AbortSignal;
  /** An instant of the host's clock, or `Infinity`. */
  readonly deadlineAt: number;
  /** W3C trace context of an active trace. */
  readonly traceparent: string | undefined;
  /** The calls of the host in the course of which this one is made, outermost first. */
  readonly chain: readonly CallLink[];
  /** Tells the worker how far the work is. */
  progress(fraction: number | undefined, message?: string): void;
}

/** A link of a chain of nested calls. */
export interface CallLink {
  readonly pluginId: string;
  readonly method: string;
}

interface ServiceMethodBase<Params, Result> {
  /** Validates what the worker sent. Without it the params are refused unless they are absent or a map, and handed on as they are. */
  readonly params?: StandardSchema<unknown, Params>;
  /** Does the work, after the policy has allowed it. */
  handle(params: Params, call: ServiceCall): Result | Promise<Result>;
}

/** A method that needs a capability. */
export interface GuardedServiceMethod<Params = never, Result = unknown> extends ServiceMethodBase<Params, Result> {
  readonly capability: Capability;
  /** The concrete values that these params would touch, for each field of the capability's scope. */
  scope(params: Params): Readonly<Record<string, string | readonly string[]>>;
}

/** A method that every worker may call. */
export interface BaselineServiceMethod<Params = never, Result = unknown> extends ServiceMethodBase<Params, Result> {
  /** Why it needs no capability: a sentence for the reader of the code. */
  readonly baseline: string;
}

/** A method of a service: guarded by a capability, or declared baseline with a reason. */
export type ServiceMethod<Params = never, Result = unknown> = GuardedServiceMethod<Params, Result> | BaselineServiceMethod<Params, Result>;

/** An ability of the host behind the broker: workers call it as `name.method`. */
export interface Service {
  readonly name: string;
  readonly methods: Readonly<Record<string, ServiceMethod>>;
}

/** Gives a method its types: what `params` validates is what `scope` and `handle` get. */
export function defineMethod<Params, Result>(method: ServiceMethod<Params, Result>): ServiceMethod {
  return method as unknown as ServiceMethod;
}

const namePattern = /^[a-z][a-zA-Z0-9]*$/;
const reservedNames = new Set(['plugin', 'grants']);

/**
 * Defines a service. Its methods are made with {@link defineMethod}.
 * @throws INVALID_ARGUMENT for an unusable name; UNGUARDED_METHOD for a method that neither names a capability nor is baseline.
 */
export function defineService(service: Service): Service {
  if (!namePattern.test(service.name) || reservedNames.has(service.name)) {
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `"${service.name}" cannot be the name of a service: use a lower-case word that is not plugin or grants.`);
  }
  for (const [name, method] of Object.entries(service.methods)) {
    if (!namePattern.test(name)) throw new WorkerRuntimeError('INVALID_ARGUMENT', `"${service.name}.${name}" is not a usable method name; use letters and digits.`);
    const guarded = 'capability' in method && method.capability !== undefined && typeof method.scope === 'function';
    const baseline = 'baseline' in method && typeof method.baseline === 'string' && method.baseline.length > 0;
    if (guarded === baseline) {
      throw new WorkerRuntimeError('UNGUARDED_METHOD', `"${service.name}.${name}" must either name a capability and its scope, or say in "baseline" why it needs none.`);
    }
  }
  return service;
}

/** The attempt that a guarded method makes with these params. @throws INVALID_PARAMS if the values are not acceptable for the scope. */
export function attemptOf(method: GuardedServiceMethod, params: never): Attempt {
  try {
    return method.capability.for(method.scope(params));
  } catch (error) {
    throw new WorkerRuntimeError('INVALID_PARAMS', error instanceof Error ? error.message : 'The params name nothing that the policy could judge.', { cause: error });
  }
}
