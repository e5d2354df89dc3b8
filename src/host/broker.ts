import { nearest } from '../errors/nearest.js';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Logger } from '../interfaces/logger.js';
import { validate } from '../plugin/validate.js';
import { attemptOf, type CallLink, type GuardedServiceMethod, type Service, type ServiceCall, type ServiceMethod } from '../services/define-service.js';
import type { IncomingCall } from '../session/incoming-call.js';
import type { WorkerIdentity } from '../worker/worker-options.js';
import type { Audit } from './audit.js';
import type { Authority } from './authority.js';

/** Whose requests are judged. */
export interface BrokerClient {
  readonly id: string;
  readonly authority: Authority;
}

/** What the broker is made of. */
export interface BrokerOptions {
  readonly services: readonly Service[];
  readonly audit: Audit;
  readonly createId: () => string;
  readonly logger: Logger;
}

/** A one-way message as a call: nobody waits for an answer. */
const neverAborted = new AbortController().signal;

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
  readonly #logger: Logger;

  /** @throws INVALID_ARGUMENT if two services have one name. */
  constructor(options: BrokerOptions) {
    this.#audit = options.audit;
    this.#createId = options.createId;
    this.#logger = options.logger;
    const offered = new Set<string>();
    const names = new Set<string>();
    for (const service of options.services) {
      if (names.has(service.name)) throw new WorkerRuntimeError('INVALID_ARGUMENT', `There are two services of the name "${service.name}".`);
      names.add(service.name);
      for (const [name, method] of Object.entries(service.methods)) {
        this.#methods.set(`${service.name}.${name}`, method);
        if ('capability' in method) offered.add(method.capability.name);
      }
    }
    this.offered = offered;
  }

  /** Answers a request of a worker. */
  handle(client: BrokerClient, worker: WorkerIdentity, call: IncomingCall): void {
    const serviceCall: ServiceCall = {
      pluginId: client.id,
      workerId: worker.id,
      generation: worker.generation,
      get signal() {
        return call.signal;
      },
      deadlineAt: call.deadlineAt,
      traceparent: call.traceparent,
      chain: (call.parentTag as readonly CallLink[] | undefined) ?? [],
      progress: (fraction, message) => call.progress(fraction, message),
    };
    const fail = (error: unknown): void => {
      if (!isWorkerRuntimeError(error)) {
        // What went wrong inside the host is not the plugin's business.
        this.#logger.error({ err: error, plugin: client.id, method: call.method }, 'A service of the host failed.');
        return call.fail(new WorkerRuntimeError('INTERNAL_ERROR', `"${call.method}" failed inside the host; its log says why.`));
      }
      call.fail(error);
    };
    try {
      const result = this.#perform(client, call.method, call.params, call.actingFor, serviceCall);
      if (result instanceof Promise) result.then((value) => call.respond(value), fail);
      else call.respond(result);
    } catch (error) {
      fail(error);
    }
  }

  /** Takes a one-way message of a worker; what goes wrong is in the audit and the log. */
  handleOneWay(client: BrokerClient, worker: WorkerIdentity, method: string, params: unknown): void | Promise<void> {
    const call: ServiceCall = {
      pluginId: client.id,
      workerId: worker.id,
      generation: worker.generation,
      signal: neverAborted,
      deadlineAt: Number.POSITIVE_INFINITY,
      traceparent: undefined,
      chain: [],
      progress() {},
    };
    const onError = (error: unknown): void => {
      const code = isWorkerRuntimeError(error) ? error.code : 'INTERNAL_ERROR';
      if (code !== 'CAPABILITY_DENIED') this.#logger.warn({ err: error, plugin: client.id, method, code }, 'A one-way message of a plugin was not acceptable.');
    };
    try {
      const result = this.#perform(client, method, params, undefined, call);
      if (result instanceof Promise) return result.then(() => {}, onError);
    } catch (error) {
      onError(error);
    }
  }

  #perform(client: BrokerClient, name: string, params: unknown, actingFor: string | undefined, call: ServiceCall): unknown {
    const method = this.#methods.get(name);
    if (method === undefined) {
      const similar = nearest(name, [...this.#methods.keys()]);
      throw new WorkerRuntimeError('METHOD_NOT_FOUND', `The host has no method "${name}".${similar === undefined ? '' : ` Did you mean "${similar}"?`}`);
    }
    // Acting for another needs the other's rights too, which nothing judges yet: refused rather than ignored.
    if (actingFor !== undefined) throw new WorkerRuntimeError('INVALID_ARGUMENT', 'This host does not let a plugin act for another.');
    if (method.params === undefined) {
      if (params !== undefined && params !== null && (typeof params !== 'object' || Array.isArray(params))) {
        throw new WorkerRuntimeError('INVALID_PARAMS', `The params of "${name}" must be a map or absent.`);
      }
      return this.#admit(client, name, method, params as never, call);
    }
    const validated = validate(method.params, params, { code: 'INVALID_PARAMS', what: `The params of "${name}"`, repair: 'Nothing was done; docs/protocol.md, section 10, lists them.' });
    if (validated instanceof Promise) return validated.then((value) => this.#admit(client, name, method, value as never, call));
    return this.#admit(client, name, method, validated as never, call);
  }

  #admit(client: BrokerClient, name: string, method: ServiceMethod, params: never, call: ServiceCall): unknown {
    if ('capability' in method) this.#decide(client, name, method, params, call);
    this.#audit.countAllowed(client.id, name);
    return method.handle(params, call);
  }

  #decide(client: BrokerClient, name: string, method: GuardedServiceMethod, params: never, call: ServiceCall): void {
    const attempt = attemptOf(method, params);
    const decision = client.authority.decide(attempt);
    if (decision.effect === 'allow') return;
    const decisionId = this.#createId();
    const missing = decision.missing ?? decision.scope;
    const rule = decision.rule === undefined ? undefined : `${decision.rule.file ?? 'policy'}:${decision.rule.line ?? `rule ${decision.rule.index}`}`;
    this.#audit.record({
      kind: 'decision',
      pluginId: client.id,
      workerId: call.workerId,
      generation: call.generation,
      decisionId,
      effect: decision.effect,
      method: name,
      capability: decision.capability,
      scope: decision.scope,
      missing,
      reason: decision.sentence,
      rule,
      traceparent: call.traceparent,
    });
    // Nobody can be asked yet: a confirmation that is not given is a denial.
    throw new WorkerRuntimeError(decision.effect === 'confirm' ? 'CONFIRMATION_REQUIRED' : 'CAPABILITY_DENIED', decision.sentence, {
      details: { capability: decision.capability, scope: missing, decisionId },
      mayHaveRun: false,
    });
  }
}
