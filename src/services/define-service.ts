import type { Attempt, Capability, Scope } from '../capabilities/capability.js';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { StandardSchema } from '../plugin/standard-schema.js';
import type { IncomingCall } from '../session/incoming-call.js';

/** Who calls a service, and how long it waits. */
export interface ServiceCall {
  /** Id of the plugin that calls. It says who asks; what it may ask for the policy has judged. */
  readonly pluginId: string;
  /** Id of the one worker of it that calls. */
  readonly workerId: string;
  /** Counts the incarnations of the plugin's worker. */
  readonly generation: number;
  /** Aborted when the worker no longer waits: it cancelled, the time is up, the call that its own is nested in has settled, or it is gone. */
  readonly signal: AbortSignal;
  /** An instant of the host's clock, or `Infinity`. */
  readonly deadlineAt: number;
  /** W3C trace context of an active trace. */
  readonly traceparent: string | undefined;
  /** The calls of the host in the course of which this one is made, outermost first. */
  readonly chain: readonly CallLink[];
  /** What the policy judged, in normal form: what a handler touches must be these values. Empty for a baseline method. */
  readonly scope: Scope;
  /** @internal The request as the session knows it, which calls made `within` this one are nested in; absent for a one-way message. */
  readonly request?: IncomingCall | undefined;
  /** Tells the worker how far the work is. */
  progress(fraction: number | undefined, message?: string): void;
}

/** A link of a chain of nested calls. */
export interface CallLink {
  /** Id of the plugin that was called. */
  readonly pluginId: string;
  /** The method or stream that was called. */
  readonly method: string;
}

/** What guarded and baseline methods have in common. */
export interface ServiceMethodBase<Params, Result> {
  /** Validates what the worker sent. Without it the params are refused unless they are absent or a map, and handed on as they are. */
  readonly params?: StandardSchema<unknown, Params>;
  /** Does the work, after the policy has allowed it. */
  handle(params: Params, call: ServiceCall): Result | Promise<Result>;
}

/** A method that needs a capability. */
export interface GuardedServiceMethod<Params = never, Result = unknown> extends ServiceMethodBase<Params, Result> {
  /** What a worker needs to call it: the very object of the catalogue that the host was made with. */
  readonly capability: Capability;
  /** The concrete values that these params would touch, for each field of the capability's scope. */
  scope(params: Params): Readonly<Record<string, string | readonly string[]>>;
}

/** A method that every worker may call. */
export interface BaselineServiceMethod<Params = never, Result = unknown> extends ServiceMethodBase<Params, Result> {
  /** Why it needs no capability: a sentence for the reader of the code. */
  readonly baseline: string;
  /**
   * Whether it may also be sent as a one-way message, which has no deadline, no answer and no place in the limit of calls in flight. Default false: only
   * what is done at once and costs next to nothing should be.
   */
  readonly oneWay?: boolean;
}

/** A method of a service: guarded by a capability, or declared baseline with a reason. */
export type ServiceMethod<Params = never, Result = unknown> = GuardedServiceMethod<Params, Result> | BaselineServiceMethod<Params, Result>;

/** An ability of the host behind the broker: workers call it as `name.method`. */
export interface Service {
  /** Letters and digits, the first in lower case; not `plugin` and not `grants`. Unique in a host. */
  readonly name: string;
  /** By name: letters and digits, the first in lower case. */
  readonly methods: Readonly<Record<string, ServiceMethod>>;
}

/** Gives a method its types: what `params` validates is what `scope` and `handle` get. */
export function defineMethod<Params, Result>(method: ServiceMethod<Params, Result>): ServiceMethod {
  return method as unknown as ServiceMethod;
}

/** Whether the policy is asked before a method is performed. */
export function isGuarded(method: ServiceMethod): method is GuardedServiceMethod {
  return (method as Partial<GuardedServiceMethod>).capability !== undefined;
}

const namePattern = /^[a-z][a-zA-Z0-9]*$/;
const reservedNames = new Set(['plugin', 'grants']);

/**
 * Defines a service. Its methods are made with {@link defineMethod}.
 * @throws INVALID_ARGUMENT for an unusable name; UNGUARDED_METHOD for a method that neither names a capability nor is baseline.
 */
export function defineService(service: Service): Service {
  assertService(service);
  return service;
}

/** Makes sure that a service is one that {@link defineService} would let pass: every host does so with every service. @throws as defineService. */
export function assertService({ name, methods }: Service): void {
  if (!namePattern.test(name) || reservedNames.has(name)) {
    throw new WorkerRuntimeError(
      'INVALID_ARGUMENT',
      `"${name}" cannot be the name of a service: use letters and digits, the first in lower case, and neither plugin nor grants.`,
    );
  }
  for (const [methodName, method] of Object.entries(methods)) {
    const wireName = `${name}.${methodName}`;
    if (!namePattern.test(methodName) || wireName.length > 256) {
      throw new WorkerRuntimeError(
        'INVALID_ARGUMENT',
        `"${wireName}" is not a usable name of a method: use letters and digits, the first in lower case.`,
      );
    }
    const { capability, scope, baseline } = method as Partial<GuardedServiceMethod & BaselineServiceMethod>;
    const guarded = capability !== undefined || scope !== undefined;
    const complete = guarded
      ? typeof capability?.for === 'function' && typeof scope === 'function' && baseline === undefined
      : typeof baseline === 'string' && baseline.trim() !== '';
    if (!complete) {
      throw new WorkerRuntimeError(
        'UNGUARDED_METHOD',
        `"${wireName}" must either name a capability and its scope, or say in "baseline" why it needs none.`,
      );
    }
    if (typeof method.handle !== 'function') throw new WorkerRuntimeError('INVALID_ARGUMENT', `"${wireName}" has no handle function.`);
  }
}

/**
 * The attempt that a guarded method makes with these params.
 * @throws INVALID_PARAMS if the values are not such as the scope takes; whatever `scope` itself throws.
 */
export function attemptOf(method: GuardedServiceMethod, params: never): Attempt {
  const values = method.scope(params);
  try {
    return method.capability.for(values);
  } catch (error) {
    if (!isWorkerRuntimeError(error)) throw error;
    throw new WorkerRuntimeError('INVALID_PARAMS', error.message, { cause: error });
  }
}
