import type { Reason } from '../errors/reason.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Manifest } from '../manifest/manifest.js';
import { createContractClient } from '../plugin/contract-client.js';
import type { Contract } from '../plugin/contract.js';
import type { ContractClient } from '../plugin/contract-types.js';
import type { Grant } from '../policy/grant.js';
import type { Plan } from '../policy/plan.js';
import type { TrustTier } from '../policy/policy.js';
import type { PluginHealth } from '../services/baseline-services.js';
import type { CallLink, ServiceCall } from '../services/define-service.js';
import type { SessionCallOptions } from '../session/call-options.js';
import type { CallStream } from '../session/call-stream.js';
import type { Approval } from './authority.js';
import type { PluginState } from './plugin-table.js';
import type { Supervisor } from './supervisor.js';
import type { WorkerInspection } from './worker-inspection.js';

/** How a plugin is called. */
export interface CallOptions extends Omit<SessionCallOptions, 'parent' | 'tag' | 'actingFor'> {
  /**
   * The call of a plugin in the course of which this one is made, as a service's handler or `routeMessage` gets it: its signal and
   * its time limit hold for this call too, and a cycle is found (`CALL_CYCLE`).
   */
  readonly within?: ServiceCall | undefined;
}

/**
 * An installed plugin. The handle stays the same across restarts of its worker; `host.plugin(id)` returns it again.
 */
export class Plugin {
  readonly #supervisor: Supervisor;

  /** @internal Made by `host.install`. */
  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor;
  }

  get id(): string {
    return this.#supervisor.manifest.id;
  }
  get manifest(): Manifest {
    return this.#supervisor.manifest;
  }
  get trust(): TrustTier {
    return this.#supervisor.trust;
  }
  get state(): PluginState {
    return this.#supervisor.state;
  }
  /** Why it is not active; undefined while it is. */
  get reason(): Reason | undefined {
    return this.#supervisor.reason;
  }
  /** What the plugin last said about its own health. */
  get health(): PluginHealth {
    return this.#supervisor.health;
  }
  /** The grants in force. */
  get grants(): readonly Grant[] {
    return this.#supervisor.authority.grants;
  }
  /** The present worker; undefined where there is none. */
  get worker(): WorkerInspection | undefined {
    return this.#supervisor.inspectWorker();
  }

  /** Says beforehand what each request of the manifest would become, and by which rule. Changes nothing. */
  plan(): Promise<Plan> {
    return this.#supervisor.authority.plan();
  }

  /**
   * Approves requests that the policy leaves open; the grants are pinned to this very manifest and content.
   * @returns the new grants.
   * @throws INVALID_ARGUMENT, CAPABILITY_DENIED
   */
  async approve(approval: Approval): Promise<readonly Grant[]> {
    const grants = await this.#supervisor.authority.approve(approval);
    this.#supervisor.announceGrants();
    return grants;
  }

  /**
   * Starts a worker and waits until it is ready; does nothing if one is.
   * @throws APPROVAL_REQUIRED (details: the plan), CAPABILITY_DENIED, START_FAILED (with the reason), INVALID_STATE, HOST_STOPPED
   */
  start(): Promise<void> {
    return this.#supervisor.start();
  }

  /** Stops the worker: drain and grace, on_unload, goodbye, SIGTERM, SIGKILL. Resolves when nothing of it runs. */
  stop(options: { readonly graceMs?: number; readonly reason?: string } = {}): Promise<void> {
    return this.#supervisor.stop(options.reason ?? 'The plugin was stopped.', options.graceMs);
  }

  /** Stops it and refuses starts until it is enabled again. */
  disable(): Promise<void> {
    return this.#supervisor.disable();
  }

  enable(): void {
    this.#supervisor.enable();
  }

  /** Calls a method. Rejects with a `WorkerRuntimeError`; docs/errors.md lists the outcomes. Default time limit 30 s. */
  call(method: string, params?: unknown, options: CallOptions = {}): Promise<unknown> {
    try {
      return this.#supervisor.call(method, params, this.#within(method, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Starts a stream at once. @throws what a call would reject with before anything was sent. */
  stream(method: string, params?: unknown, options: CallOptions = {}): CallStream {
    return this.#supervisor.stream(method, params, this.#within(method, options));
  }

  /** The typed client of a contract. It stays valid across restarts. */
  as<C extends Contract>(contract: C): ContractClient<C, Pick<CallOptions, 'within'>> {
    return createContractClient(contract, this);
  }

  #within(method: string, { within, ...options }: CallOptions): SessionCallOptions {
    const chain: readonly CallLink[] = within?.chain ?? [];
    if (within === undefined) return { ...options, tag: [{ pluginId: this.id, method }] };
    if (chain.some((link) => link.pluginId === this.id && link.method === method)) {
      const names = [...chain, { pluginId: this.id, method }].map((link) => `${link.pluginId}:${link.method}`);
      throw new WorkerRuntimeError('CALL_CYCLE', `The call would wait for itself: ${names.join(' → ')}.`, { mayHaveRun: false });
    }
    return { ...options, ...this.#supervisor.inherit(within, options), tag: [...chain, { pluginId: this.id, method }] };
  }
}
