import type { Scope } from '../capabilities/capability.js';
import { nearest } from '../errors/nearest.js';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { validate } from '../plugin/validate.js';
import type { Decision } from '../policy/decision.js';
import { attemptOf, isGuarded, type Service, type ServiceMethod } from '../services/define-service.js';
import type { IncomingCall } from '../session/incoming-call.js';
import type { WorkerIdentity } from '../worker/worker-options.js';
import type { Audit } from './audit.js';
import type { Authority } from './authority.js';
import { outwardError } from './outward-error.js';
import type { PluginLog } from './plugin-log.js';
import { WorkerCall } from './worker-call.js';

/** Whose requests are judged. */
export interface BrokerClient {
  readonly id: string;
  readonly authority: Authority;
  readonly log: PluginLog;
}

/** Which of its workers asks. */
export type BrokerWorker = Pick<WorkerIdentity, 'id' | 'generation'>;

/** What the broker is made of. */
export interface BrokerOptions {
  readonly services: readonly Service[];
  readonly audit: Audit;
  readonly createId: () => string;
}

/** Values of one scope field that a record shows. */
const maxShownValues = 16;
const maxShownLength = 1_024;

/**
 * The door: every request that a worker makes of the host passes here, and nowhere else is a capability judged.
 * validate → decide → audit → handle.
 */
export class Broker {
  /** Names of the capabilities that guard a method. */
  readonly offered: ReadonlySet<string>;
  readonly #methods = new Map<string, ServiceMethod>();
  readonly #audit: Audit;
  readonly #createId: () => string;

  /** @throws INVALID_ARGUMENT if two services have one name. */
  constructor(options: BrokerOptions) {
    this.#audit = options.audit;
    this.#createId = options.createId;
    const offered = new Set<string>();
    const names = new Set<string>();
    for (const service of options.services) {
      if (names.has(service.name)) throw new WorkerRuntimeError('INVALID_ARGUMENT', `There are two services of the name "${service.name}".`);
      names.add(service.name);
      for (const [name, method] of Object.entries(service.methods)) {
        this.#methods.set(`${service.name}.${name}`, method);
        if (isGuarded(method)) offered.add(method.capability.name);
      }
    }
    this.offered = offered;
  }

  /** Answers a request of a worker. */
  handle(client: BrokerClient, worker: BrokerWorker, request: IncomingCall): void {
    const respond = (value: unknown): void => request.respond(value);
    const fail = (error: unknown): void => request.fail(error);
    try {
      // Acting for another needs the other's rights too, which nothing judges yet: refused rather than ignored.
      if (request.actingFor !== undefined) throw new WorkerRuntimeError('INVALID_ARGUMENT', 'This host does not let a plugin act for another.');
      if (request.expectsItems || request.sendsItems) {
        throw new WorkerRuntimeError('INVALID_ARGUMENT', `"${request.method}" is a method, not a stream: call it instead of streaming it.`);
      }
      const result = this.#perform(client, new WorkerCall(client.id, worker, request.method, request), request.params);
      if (isThenable(result)) result.then(respond, fail);
      else respond(result);
    } catch (error) {
      fail(error);
    }
  }

  /** Takes a one-way message of a worker; what goes wrong is in the audit and the log. */
  handleOneWay(client: BrokerClient, worker: BrokerWorker, method: string, params: unknown): void | Promise<void> {
    const onError = (error: unknown): void => {
      const code = isWorkerRuntimeError(error) ? error.code : 'INTERNAL_ERROR';
      if (code !== 'CAPABILITY_DENIED')
        client.log.report('warn', { err: error, method, code }, 'A one-way message of the plugin was not acceptable.');
    };
    try {
      const entry = this.#methods.get(method);
      if (entry !== undefined && !('oneWay' in entry && entry.oneWay === true)) {
        throw new WorkerRuntimeError('INVALID_ARGUMENT', `"${method}" must be called; as a one-way message it is not taken.`);
      }
      const result = this.#perform(client, new WorkerCall(client.id, worker, method), params);
      if (isThenable(result)) return Promise.resolve(result.then(() => {}, onError));
    } catch (error) {
      onError(error);
    }
  }

  /** Whether a call with these params would be allowed now. Nothing is performed or recorded: it is for authority that was used before, and goes on. */
  wouldAllow(client: BrokerClient, name: string, params: unknown): boolean {
    const method = this.#methods.get(name);
    if (method === undefined) return false;
    try {
      return !isGuarded(method) || client.authority.decide(attemptOf(method, params as never)).effect === 'allow';
    } catch {
      return false;
    }
  }

  #perform(client: BrokerClient, call: WorkerCall, params: unknown): unknown {
    const name = call.method;
    // A map, not an object: `constructor` is no method.
    const method = this.#methods.get(name);
    if (method === undefined) {
      const similar = nearest(name, this.#methods.keys());
      throw new WorkerRuntimeError(
        'METHOD_NOT_FOUND',
        `The host has no method "${name}".${similar === undefined ? '' : ` Did you mean "${similar}"?`}`,
      );
    }
    if (method.params === undefined) {
      if (params !== undefined && params !== null && (typeof params !== 'object' || Array.isArray(params))) {
        throw new WorkerRuntimeError('INVALID_PARAMS', `The params of "${name}" must be a map or absent.`);
      }
      return this.#admit(client, method, params, call);
    }
    const repair = 'Nothing was done; docs/protocol.md, section 10, lists them.';
    const validated = validate(method.params, params, { code: 'INVALID_PARAMS', what: `The params of "${name}"`, repair });
    if (validated instanceof Promise) return validated.then((value) => this.#admit(client, method, value, call));
    return this.#admit(client, method, validated, call);
  }

  #admit(client: BrokerClient, method: ServiceMethod, params: unknown, call: WorkerCall): unknown {
    if (isGuarded(method)) {
      const attempt = this.#guarded(client, call, () => attemptOf(method, params as never));
      const decision = client.authority.decide(attempt);
      if (decision.effect !== 'allow') throw this.#deny(client, decision, call);
      call.scope = attempt.scope;
    }
    this.#audit.countAllowed(client.id, call.method);
    const result = this.#guarded(client, call, () => method.handle(params as never, call));
    return isThenable(result) ? Promise.resolve(result).catch((error: unknown) => this.#rethrow(client, call, error)) : result;
  }

  /** Runs code of a service. What it throws is for the host's log, as far as it is not for the worker. */
  #guarded<T>(client: BrokerClient, call: WorkerCall, run: () => T): T {
    try {
      return run();
    } catch (error) {
      return this.#rethrow(client, call, error);
    }
  }

  #rethrow(client: BrokerClient, call: WorkerCall, error: unknown): never {
    const outward = outwardError(error, call.method);
    if (outward === undefined) throw error;
    client.log.report('error', { err: error, method: call.method }, 'A service of the host failed.');
    throw outward;
  }

  /** Records a denial. Nobody can be asked yet: a confirmation that is not given is one. @returns what the worker is told. */
  #deny(client: BrokerClient, decision: Decision, call: WorkerCall): WorkerRuntimeError {
    const { effect, capability, scope, sentence, missing = scope, rule } = decision;
    const decisionId = this.#createId();
    this.#audit.record({
      kind: 'decision',
      pluginId: client.id,
      workerId: call.workerId,
      generation: call.generation,
      decisionId,
      effect: effect === 'confirm' ? 'confirm' : 'deny',
      method: call.method,
      capability,
      scope: shown(scope, client.log),
      missing: shown(missing, client.log),
      reason: client.log.clean(sentence),
      rule: rule === undefined ? undefined : `${rule.file ?? 'policy'}:${rule.line ?? `rule ${rule.index}`}`,
      traceparent: call.traceparent === undefined ? undefined : client.log.clean(call.traceparent),
    });
    return new WorkerRuntimeError(effect === 'confirm' ? 'CONFIRMATION_REQUIRED' : 'CAPABILITY_DENIED', sentence, {
      details: { capability, scope: missing, decisionId },
      mayHaveRun: false,
    });
  }
}

/** A scope as a record shows it: without secrets and control characters, and of bounded size, since the worker chose the values. */
function shown(scope: Scope, log: PluginLog): Scope {
  return Object.fromEntries(
    Object.entries(scope).map(([field, values]) => {
      const first = values.slice(0, maxShownValues).map((value) => log.clean(value).slice(0, maxShownLength));
      return [field, values.length > maxShownValues ? [...first, `… ${values.length - maxShownValues} more`] : first];
    }),
  );
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
