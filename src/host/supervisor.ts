import type { Reason, ReasonCode } from '../errors/reason.js';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Launcher } from '../interfaces/launcher.js';
import type { Manifest } from '../manifest/manifest.js';
import type { TrustTier } from '../policy/policy.js';
import type { PluginHealth } from '../services/baseline-services.js';
import { createReason } from '../worker/create-reason.js';
import { transition } from '../worker/transition-table.js';
import type { Worker } from '../worker/worker.js';
import { admitWorker } from './admission.js';
import type { Authority } from './authority.js';
import { createPluginWorker } from './create-plugin-worker.js';
import { Reception } from './dial-in/reception.js';
import { PluginCalls } from './plugin-calls.js';
import type { PluginSubscriptions } from './plugin-subscriptions.js';
import { type PluginEffect, type PluginEvent, type PluginState, pluginTable } from './plugin-table.js';
import { afterFailure, contentChanged, planRefusal, type Startable, type StartRequirements, startRequirements } from './start-requirements.js';
import type { StartAttempt, SupervisorEnd, SupervisorOptions } from './supervisor-options.js';
import { inspectWorker, type WorkerInspection } from './worker-inspection.js';

/** Drives one plugin by its table: starts and stops its worker, and knows why there is none. */
export class Supervisor {
  readonly calls: PluginCalls;
  /** Where its workers that dial in are received. */
  readonly reception: Reception;
  /** What the plugin last said about its own health. */
  health: PluginHealth = { status: 'ok' };
  readonly #options: SupervisorOptions;
  #state: PluginState = 'idle';
  #reason: Reason | undefined;
  #worker: Worker | undefined;
  #generation: number;
  #attempt: StartAttempt | undefined;
  #stopping: Promise<void> | undefined;
  /** In which state, and for which reason, a stop that is under way ends. */
  #stopAs: { readonly event: 'stopped' | 'stopped-disabled'; readonly reason: Reason };
  #end: SupervisorEnd | undefined;
  #installed = false;
  #grantsUntold = false;
  /** Called once, when the worker's state has changed. */
  readonly #onWorkerState: (() => void)[] = [];

  constructor(options: SupervisorOptions) {
    const { manifest, maxConcurrency, handlerTimeoutMs, redactor } = options;
    this.#options = options;
    this.#generation = options.lastGeneration;
    this.#reason = this.#makeReason('NOT_STARTED', 'The plugin has not been started.');
    this.#stopAs = { event: 'stopped', reason: this.#reason };
    this.calls = new PluginCalls({ pluginId: manifest.id, maxConcurrency, handlerTimeoutMs, redactor, readyWorker: () => this.#readyWorker() });
    this.reception = new Reception({
      pluginId: manifest.id,
      port: options.dialIns,
      state: () => this.#state,
      resting: () => this.resting,
      attempt: () => this.#attempt,
      worker: () => this.#worker,
      requirements: () => startRequirements(manifest, options.dialIns),
      begin: (launcher) => this.#begin(launcher),
      welcome: (hello, generation) => admitWorker(hello, generation, { ...options, heartbeatMs: options.workers.timings.heartbeatMs }),
    });
  }

  get manifest(): Manifest {
    return this.#options.manifest;
  }
  get trust(): TrustTier {
    return this.#options.trust;
  }
  get authority(): Authority {
    return this.#options.authority;
  }
  get subscriptions(): PluginSubscriptions {
    return this.#options.subscriptions;
  }
  get config(): Readonly<Record<string, unknown>> {
    return this.#options.config;
  }
  get generation(): number {
    return this.#generation;
  }
  get state(): PluginState {
    return this.#state;
  }
  /** Whether nothing runs and nothing is about to. */
  get resting(): boolean {
    return this.#attempt === undefined && !['starting', 'active', 'backoff', 'stopping'].includes(this.#state);
  }
  /** Why it takes no calls; undefined while it does. */
  get reason(): Reason | undefined {
    // Active, but the worker is on its way out.
    return this.#reason ?? (this.#worker?.state === 'ready' ? undefined : this.#worker?.reason);
  }
  /** The present worker; undefined where there never was one. */
  get worker(): Worker | undefined {
    return this.#worker;
  }

  inspectWorker(): WorkerInspection | undefined {
    return this.#worker === undefined ? undefined : inspectWorker(this.#worker);
  }

  start(): Promise<void> {
    if (this.#attempt !== undefined && this.#attempt.cancelled === undefined) return this.#attempt.done;
    if (this.#state === 'active' && this.#worker?.state === 'ready') return Promise.resolve();
    return this.#begin(this.#options.launcher);
  }

  #begin(launcher: Launcher | undefined): Promise<void> {
    const before = this.#attempt?.done.catch(() => {});
    const attempt: StartAttempt = {
      launcher,
      launched: false,
      cancelled: undefined,
      done: Promise.resolve().then(() => this.#start(attempt, before)),
    };
    this.#attempt = attempt;
    const forget = (): void => {
      if (this.#attempt === attempt) this.#attempt = undefined;
    };
    attempt.done.then(forget, forget);
    return attempt.done;
  }

  stop(reason: string, graceMs?: number): Promise<void> {
    return this.#stop('stop', this.#makeReason('STOPPED', reason), graceMs);
  }

  disable(): Promise<void> {
    return this.#stop('disable', this.#makeReason('DISABLED', 'The plugin was disabled.'));
  }

  enable(): void {
    const reason = this.#makeReason('NOT_STARTED', 'The plugin was enabled and has not been started.');
    if (this.#stopAs.event === 'stopped-disabled') this.#stopAs = { event: 'stopped', reason };
    this.#apply('enable', reason);
  }

  /** Stops the plugin for good: from now on starts and calls are refused, with what `end` says. */
  close(end: SupervisorEnd, graceMs?: number): Promise<void> {
    this.#end ??= end;
    this.#worker?.forgoResume();
    return this.#stop('stop', this.#makeReason(end.code === 'HOST_STOPPED' ? 'HOST_STOPPED' : 'STOPPED', end.message), graceMs);
  }

  /** Runs a hook of a plugin whose worker is ready; one that it does not have counts as run. Rejects with what it failed with. @returns whether it ran. */
  async runHook(hook: 'plugin.install' | 'plugin.uninstall'): Promise<boolean> {
    if (this.#worker?.state !== 'ready') return false;
    try {
      await this.#worker.session.call(hook, {}, { timeoutMs: this.#options.workers.timings.hookTimeoutMs });
    } catch (error) {
      if (!isWorkerRuntimeError(error, 'METHOD_NOT_FOUND')) throw this.#options.workers.withoutSecrets(error);
    }
    return true;
  }

  /** Tells the worker which grants it has now, and ends subscriptions that they no longer cover. */
  announceGrants(): void {
    this.#options.subscriptions.prune();
    this.#grantsUntold = true;
    this.#tellGrants();
  }

  async #start(attempt: StartAttempt, before: Promise<void> | undefined): Promise<void> {
    const { manifest, authority } = this.#options;
    await before;
    await this.#stopping;
    // It is on its way out, or may come back; the next can begin when it is gone.
    while ((this.#state as PluginState) === 'active' && this.#worker?.state !== 'ready') await this.#workerChange();
    if ((this.#state as PluginState) === 'active') return;
    this.#assertWanted(attempt);
    const plan = await authority.resolve();
    this.#assertWanted(attempt);
    const refusal = planRefusal(manifest.id, plan);
    if (refusal !== undefined) {
      const reason = this.#makeReason('APPROVAL_REQUIRED', refusal.message);
      this.#apply('approval-needed', reason);
      throw new WorkerRuntimeError(refusal.code, refusal.message, { details: { plan }, reason });
    }
    this.#generation += 1;
    const { launcher } = attempt;
    const what = launcher === this.#options.dialIns ? 'The host waits for a worker to dial in.' : 'The worker is being started.';
    const effects = this.#apply('start', this.#makeReason('STARTING', what));
    if (!effects.includes('launch')) throw new WorkerRuntimeError('INVALID_STATE', `"${manifest.id}" cannot be started while it is ${this.#state}.`);
    // Whoever heard of the start may have stopped it.
    this.#assertWanted(attempt);
    // Approvals are for what was read when the plugin was installed, and for nothing that was put there since.
    const unchanged = (await this.#options.isUnchanged?.()) ?? true;
    this.#assertWanted(attempt);
    attempt.launched = true;
    await this.#launch(unchanged ? startRequirements(manifest, launcher) : contentChanged);
    if (this.#state === 'starting') this.#apply('ready', undefined);
    if (this.#state !== 'active') throw this.#stoppedMeanwhile(this.#reason);
  }

  /** Launches a worker and waits until it is ready. Rejects with START_FAILED; nothing of it runs then. */
  async #launch(requirements: StartRequirements): Promise<void> {
    const { manifest } = this.#options;
    if (!requirements.startable) {
      const reason = this.#makeReason(requirements.code, requirements.message);
      this.#apply('failed-final', reason);
      const message = `"${manifest.id}" cannot be started: ${reason.message} ${reason.action}`;
      throw new WorkerRuntimeError('START_FAILED', message, { reason, retryable: false });
    }
    const worker = this.#createWorker(requirements);
    try {
      await worker.start();
      await this.#whileDisconnected(worker);
      this.#installed ||= await this.runHook('plugin.install');
      await this.#whileDisconnected(worker);
      if (worker.state !== 'ready') throw this.#stoppedMeanwhile(worker.reason);
    } catch (error) {
      const { message } = error as Error;
      const lost = worker.state === 'disconnected' ? worker.reason : undefined;
      const reason =
        lost ?? (isWorkerRuntimeError(error) ? error.reason : undefined) ?? this.#makeReason('LOAD_FAILED', this.#options.log.clean(message));
      if (worker.state !== 'exited') await worker.stop(reason.message, 0);
      if (this.#state === 'starting') this.#applyFailure(reason, requirements.launcher);
      throw isWorkerRuntimeError(error, 'START_FAILED')
        ? error
        : new WorkerRuntimeError('START_FAILED', `"${manifest.id}" did not start: ${reason.message}`, { reason, cause: error });
    }
  }

  /** A worker whose connection is lost may come back. */
  async #whileDisconnected(worker: Worker): Promise<void> {
    while (worker.state === 'disconnected') await this.#workerChange();
  }

  /** Resolves when the state of a worker has changed. */
  #workerChange(): Promise<void> {
    return new Promise((resolve) => this.#onWorkerState.push(resolve));
  }

  #createWorker(requirements: Startable): Worker {
    const { subscriptions, log, dialIns } = this.#options;
    this.calls.forget();
    this.health = { status: 'ok' };
    const worker: Worker = createPluginWorker(this.#options, requirements, this.#generation, {
      onAdmitted: (session, hello) => {
        this.#grantsUntold = false;
        if (requirements.launcher === dialIns) return dialIns.admit(session, worker.generation, hello);
        // One that dialled in before is not the latest any more.
        dialIns.forget();
        return undefined;
      },
      onOneWayCredit: () => {
        this.#tellGrants();
        subscriptions.wake();
      },
      onState: (to) => {
        if (to === 'exited') log.flush();
        if (to === 'exited' && worker === this.#worker && this.#state === 'active') this.#applyFailure(worker.reason, requirements.launcher);
        for (const resolve of this.#onWorkerState.splice(0)) resolve();
        this.#tellGrants();
        subscriptions.wake();
      },
    });
    this.#worker = worker;
    return worker;
  }

  /** @throws START_FAILED, INVALID_STATE, or what {@link Supervisor.close} was told. */
  #assertWanted(attempt: StartAttempt): void {
    if (this.#end !== undefined) throw new WorkerRuntimeError(this.#end.code, this.#end.message);
    if (attempt.cancelled !== undefined) throw this.#stoppedMeanwhile(attempt.cancelled);
    if (this.#state === 'disabled') throw new WorkerRuntimeError('INVALID_STATE', `"${this.manifest.id}" is disabled; enable it first.`);
  }

  #stoppedMeanwhile(reason: Reason | undefined): WorkerRuntimeError {
    const message = `"${this.manifest.id}" was stopped while it was started${reason === undefined ? '' : `: ${reason.message}`}`;
    return new WorkerRuntimeError('START_FAILED', message, reason === undefined ? {} : { reason });
  }

  async #stop(event: 'stop' | 'disable', reason: Reason, graceMs?: number): Promise<void> {
    // Whoever stops a plugin does not want its worker back by itself.
    this.#options.dialIns.endRenewal();
    if (this.#attempt !== undefined) this.#attempt.cancelled ??= reason;
    const disables = event === 'disable' || (this.#state === 'stopping' && this.#stopAs.event === 'stopped-disabled');
    if (event === 'disable' || !disables) this.#stopAs = { event: disables ? 'stopped-disabled' : 'stopped', reason };
    const worker = this.#worker;
    const effects = this.#apply(event, reason);
    if (effects.includes('stop-worker')) this.#stopping = this.#stopWorker(worker, reason.message, graceMs);
    // Whoever stops it again may be in more of a hurry.
    else if (this.#state === 'stopping') void worker?.stop(reason.message, graceMs);
    if (this.#state === 'stopping') await this.#stopping;
    else this.#options.subscriptions.close();
  }

  async #stopWorker(worker: Worker | undefined, reason: string, graceMs: number | undefined): Promise<void> {
    await worker?.stop(reason, graceMs);
    this.#options.subscriptions.close();
    this.#stopping = undefined;
    const { event, reason: why } = this.#stopAs;
    this.#stopAs = { event: 'stopped', reason: why };
    this.#apply(event, why);
  }

  #readyWorker(): Worker {
    if (this.#end !== undefined && this.#state !== 'active') throw new WorkerRuntimeError(this.#end.code, this.#end.message, { mayHaveRun: false });
    const worker = this.#worker;
    if (this.#state === 'active' && worker !== undefined) return worker;
    const reason = this.#reason ?? this.#makeReason('NOT_STARTED', 'The plugin is not active.');
    throw new WorkerRuntimeError('WORKER_UNAVAILABLE', `"${this.manifest.id}" is ${this.#state}: ${reason.message} ${reason.action}`, {
      reason,
      mayHaveRun: false,
    });
  }

  /** Kept until the worker has taken it: it may not read, or not be ready yet. */
  #tellGrants(): void {
    const worker = this.#worker;
    if (!this.#grantsUntold || (worker?.state !== 'ready' && worker?.state !== 'draining')) return;
    this.#grantsUntold = !worker.session.notify('grants.changed', { grants: this.authority.wireGrants });
  }

  #applyFailure(reason: Reason | undefined, launcher: Launcher | undefined): void {
    const event = afterFailure(reason?.code, launcher);
    if (event === 'failed-final') this.#options.dialIns.forget();
    this.#apply(event, reason);
  }

  #apply(event: PluginEvent, reason: Reason | undefined): readonly PluginEffect[] {
    const from = this.#state;
    if (pluginTable[from][event] === undefined) return [];
    const { to, effects } = transition(pluginTable, from, event);
    this.#state = to;
    this.#reason = to === 'active' ? undefined : reason;
    if (effects.includes('announce')) this.#options.onPluginState(from, to, this.#reason, this.#generation);
    return effects;
  }

  #makeReason(code: ReasonCode, message: string): Reason {
    return createReason(this.#options.platform.clock, code, message);
  }
}
