import type { Reason } from '../errors/reason.js';
import type { Manifest } from '../manifest/manifest.js';
import type { Contract } from '../plugin/contract.js';
import { createContractClient } from '../plugin/contract-client.js';
import type { ContractClient, ContractStream } from '../plugin/contract-types.js';
import type { Grant } from '../policy/grant.js';
import type { Plan } from '../policy/plan.js';
import type { TrustTier } from '../policy/policy.js';
import type { PluginHealth } from '../services/baseline-services.js';
import type { Approval } from './authority.js';
import { assertGrace } from './limits.js';
import type { CallOptions } from './plugin-calls.js';
import type { PluginState } from './plugin-table.js';
import type { Supervisor } from './supervisor.js';
import type { WorkerInspection } from './worker-inspection.js';

/**
 * An installed plugin. The handle stays the same across restarts of its worker and across updates; `host.plugin(id)` returns it again.
 */
export class Plugin {
  readonly #current: () => Supervisor;

  /** @internal Made by `host.install`. */
  constructor(current: () => Supervisor) {
    this.#current = current;
  }

  get #supervisor(): Supervisor {
    return this.#current();
  }

  /** Id of its manifest. */
  get id(): string {
    return this.#supervisor.manifest.id;
  }
  /** The manifest that it was installed with, in normal form. */
  get manifest(): Manifest {
    return this.#supervisor.manifest;
  }
  /** How far the operator said to trust it, when it was installed. */
  get trust(): TrustTier {
    return this.#supervisor.trust;
  }
  /** Where it stands in its lifecycle (docs/lifecycle.md). `reason` says why it is not active. */
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
   * Starts a worker and waits until it is ready; does nothing if one is. Where the manifest says `runtime.type: external`, waits for one to dial in
   * (`host.listen`, `host.issueToken`), for `startTimeoutMs`; the reason of the error is START_TIMEOUT if none came.
   * @throws APPROVAL_REQUIRED (details: the plan), CAPABILITY_DENIED, START_FAILED (with the reason), INVALID_STATE, HOST_STOPPED
   */
  start(): Promise<void> {
    return this.#supervisor.start();
  }

  /** Stops the worker: drain and grace, on_unload, goodbye, SIGTERM, SIGKILL. Resolves when nothing of it runs. Rejects with INVALID_ARGUMENT. */
  async stop(options: { readonly graceMs?: number; readonly reason?: string } = {}): Promise<void> {
    assertGrace(options.graceMs);
    await this.#supervisor.stop(options.reason ?? 'The plugin was stopped.', options.graceMs);
  }

  /** Stops it and refuses starts until it is enabled again. */
  disable(): Promise<void> {
    return this.#supervisor.disable();
  }

  /** Lets it be started again; does nothing if it is not disabled. */
  enable(): void {
    this.#supervisor.enable();
  }

  /**
   * Calls a method. Rejects with a `WorkerRuntimeError`; docs/errors.md lists the outcomes. Default time limit by trust tier: 60 s official, else 30 s.
   */
  call(method: string, params?: unknown, options: CallOptions = {}): Promise<unknown> {
    return this.#supervisor.calls.call(method, params, options);
  }

  /** Starts a stream at once. @throws what a call would reject with before anything was sent. */
  stream(method: string, params?: unknown, options: CallOptions = {}): ContractStream {
    return this.#supervisor.calls.stream(method, params, options);
  }

  /** The typed client of a contract. It stays valid across restarts and updates. */
  as<C extends Contract>(contract: C): ContractClient<C, Pick<CallOptions, 'within'>> {
    return createContractClient<C, Pick<CallOptions, 'within'>>(contract, {
      call: (method, params, options) => this.call(method, params, options),
      stream: (method, params, options) => this.stream(method, params, options),
    });
  }
}
