import type { Reason, ReasonCode } from '../errors/reason.js';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { FrameLimits } from '../frames/limits.js';
import type { IsolationLevel, Launcher, LaunchRequest } from '../interfaces/launcher.js';
import type { Platform } from '../interfaces/platform.js';
import type { Manifest } from '../manifest/manifest.js';
import type { ValueCodec } from '../messages/codec.js';
import type { HelloFields, WelcomeFields } from '../messages/message.js';
import type { TrustTier } from '../policy/policy.js';
import type { PluginHealth } from '../services/baseline-services.js';
import type { ServiceCall } from '../services/define-service.js';
import type { SessionCallOptions } from '../session/call-options.js';
import type { CallStream } from '../session/call-stream.js';
import { createReason } from '../worker/create-reason.js';
import { transition } from '../worker/transition-table.js';
import { Worker } from '../worker/worker.js';
import type { WorkerHandlers, WorkerTimings } from '../worker/worker-options.js';
import type { Authority } from './authority.js';
import type { PluginSubscriptions } from './plugin-subscriptions.js';
import { type PluginEvent, type PluginState, pluginTable } from './plugin-table.js';
import type { SettledCalls } from './settled-calls.js';
import type { WorkerInspection } from './worker-inspection.js';

/** What a supervisor is made of. */
export interface SupervisorOptions {
  readonly platform: Platform;
  readonly codec: ValueCodec;
  readonly createId: () => string;
  readonly manifest: Manifest;
  readonly directory: string | undefined;
  readonly trust: TrustTier;
  readonly launcher: Launcher | undefined;
  readonly config: Readonly<Record<string, unknown>>;
  readonly secretConfigKeys: readonly string[];
  readonly authority: Authority;
  readonly subscriptions: PluginSubscriptions;
  readonly settledCalls: SettledCalls;
  readonly frameLimits: FrameLimits;
  readonly timings: WorkerTimings;
  readonly maxConcurrency: number;
  readonly maxIncomingCalls: number;
  readonly maxQueuedBytes: number;
  readonly debug: boolean;
  readonly redact: (text: string) => string;
  readonly workerHandlers: Omit<WorkerHandlers, 'onState' | 'onOneWayCredit'>;
  onPluginState(from: PluginState, to: PluginState, reason: Reason | undefined, generation: number): void;
  onWorkerState: WorkerHandlers['onState'];
}

/** Drives one plugin by its table: starts and stops its worker, and knows why there is none. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  #state: PluginState = 'idle';
  #reason: Reason | undefined;
  #worker: Worker | undefined;
  #generation = 0;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #installed = false;
  #stopAs: 'stopped' | 'stopped-disabled' = 'stopped';
  health: PluginHealth = { status: 'ok' };

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#reason = this.#makeReason('NOT_STARTED', 'The plugin has not been started.');
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
  get state(): PluginState {
    return this.#state;
  }
  get reason(): Reason | undefined {
    return this.#reason;
  }
  get config(): Readonly<Record<string, unknown>> {
    return this.#options.config;
  }

  /** The present worker; undefined where there never was one. */
  get worker(): Worker | undefined {
    return this.#worker;
  }

  inspectWorker(): WorkerInspection | undefined {
    const worker = this.#worker;
    if (worker === undefined || worker.state === 'exited') return undefined;
    const session = worker.state === 'ready' || worker.state === 'draining' ? worker.session : undefined;
    return {
      id: worker.id,
      generation: worker.generation,
      state: worker.state,
      pid: worker.pid,
      description: worker.description,
      isolation: this.#options.launcher?.isolation ?? 'none',
      startedAt: new Date(worker.startedAt).toISOString(),
      callsInFlight: session?.callsInFlight ?? 0,
      queuedBytes: session?.queuedBytes ?? 0,
      unconfirmedMessages: session?.unconfirmedMessages ?? 0,
      ...worker.offer,
    };
  }

  start(): Promise<void> {
    if (this.#state === 'active') return Promise.resolve();
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async stop(reason: string, graceMs?: number): Promise<void> {
    if (this.#state === 'stopping') return this.#stopping;
    const worker = this.#worker;
    this.#apply('stop', this.#makeReason('STOPPED', reason));
    if ((this.#state as PluginState) === 'stopping') await this.#finishStop(worker, reason, graceMs);
    this.#options.subscriptions.close();
  }

  async disable(): Promise<void> {
    if (this.#state === 'disabled') return;
    const worker = this.#worker;
    const reason = this.#makeReason('DISABLED', 'The plugin was disabled.');
    this.#stopAs = 'stopped-disabled';
    this.#apply('disable', reason);
    if ((this.#state as PluginState) === 'stopping') await this.#finishStop(worker, reason.message);
    this.#options.subscriptions.close();
  }

  enable(): void {
    this.#stopAs = 'stopped';
    this.#apply('enable', this.#makeReason('NOT_STARTED', 'The plugin was enabled and has not been started.'));
  }

  call(method: string, params: unknown, options: SessionCallOptions): Promise<unknown> {
    const { session, id } = this.#ready();
    const { idempotencyKey } = options;
    if (idempotencyKey === undefined) return session.call(method, params, options);
    return this.#options.settledCalls.once(`${id} ${method} ${idempotencyKey}`, () => session.call(method, params, options));
  }

  stream(method: string, params: unknown, options: SessionCallOptions): CallStream {
    return this.#ready().session.stream(method, params, options);
  }

  /** What a call inherits from the plugin's call in the course of which it is made. */
  inherit(within: ServiceCall, options: SessionCallOptions): Pick<SessionCallOptions, 'signal' | 'timeoutMs' | 'traceparent'> {
    const traceparent = options.traceparent ?? within.traceparent;
    const left = within.deadlineAt - this.#options.platform.clock.now();
    const timeoutMs = left === Number.POSITIVE_INFINITY ? options.timeoutMs : Math.max(1, Math.min(left, options.timeoutMs || left));
    return { timeoutMs, traceparent, signal: eitherSignal(options.signal, within.signal) };
  }

  /** Tells the worker which grants it has now, and ends subscriptions that they no longer cover. */
  announceGrants(): void {
    const { authority } = this.#options;
    if (this.#worker?.state === 'ready') this.#worker.session.notify('grants.changed', { grants: authority.wireGrants });
  }

  async #start(): Promise<void> {
    const { manifest, authority } = this.#options;
    if (this.#stopping !== undefined) await this.#stopping;
    if (this.#state === 'disabled') throw new WorkerRuntimeError('INVALID_STATE', `"${manifest.id}" is disabled; enable it first.`);
    const plan = await authority.resolve();
    if (plan.status !== 'ready') {
      const open = plan.items.filter((item) => !item.optional && item.outcome !== 'granted');
      const names = open.map((item) => `${item.request.capability} (${item.explanation})`).join(' ');
      const code = plan.status === 'denied' ? 'CAPABILITY_DENIED' : 'APPROVAL_REQUIRED';
      const message = plan.status === 'denied' ? `The policy denies "${manifest.id}" what it needs: ${names}` : `"${manifest.id}" awaits approval: ${names}`;
      this.#apply('approval-needed', this.#makeReason('APPROVAL_REQUIRED', message));
      throw new WorkerRuntimeError(code, message, { details: { plan }, ...(this.#reason === undefined ? {} : { reason: this.#reason }) });
    }
    const launched = this.#assertStartable();
    this.#generation += 1;
    this.#apply('start', this.#makeReason('STARTING', 'The worker is being started.'));
    if (this.#state !== 'starting') throw new WorkerRuntimeError('INVALID_STATE', `"${manifest.id}" cannot be started while it is ${this.#state}.`);
    const worker = this.#createWorker(launched.launcher, launched.runtime);
    this.#worker = worker;
    try {
      await worker.start();
      if (!this.#installed) await this.#runInstallHook(worker);
    } catch (error) {
      const reason = (isWorkerRuntimeError(error) ? error.reason : undefined) ?? this.#makeReason('LOAD_FAILED', error instanceof Error ? error.message : String(error));
      if (worker.state !== 'exited') await worker.stop(reason.message, 0);
      if (this.#state === 'starting') this.#apply('failed-final', reason);
      throw error;
    }
    if (this.#state === 'starting') this.#apply('ready', undefined);
    if ((this.#state as PluginState) !== 'active') {
      throw new WorkerRuntimeError('START_FAILED', `"${manifest.id}" was stopped while it was started.`, this.#reason === undefined ? {} : { reason: this.#reason });
    }
  }

  /** @throws START_FAILED for what can never start here; nothing has happened then. */
  #assertStartable(): { readonly launcher: Launcher; readonly runtime: LaunchRequest['runtime'] } {
    const { manifest, launcher } = this.#options;
    const refuse = (code: ReasonCode, message: string): WorkerRuntimeError => {
      const reason = this.#makeReason(code, message);
      return new WorkerRuntimeError('START_FAILED', `"${manifest.id}" cannot be started: ${message} ${reason.action}`, { reason, retryable: false });
    };
    const { runtime, minIsolation } = manifest;
    if (runtime?.entry === undefined) throw refuse('SPAWN_FAILED', 'its manifest says nothing that could be started here (runtime.entry).');
    if (launcher === undefined) throw refuse('SPAWN_FAILED', 'the host has no launcher; pass one, or use createNodeHost.');
    if (minIsolation !== undefined && !isAtLeast(launcher.isolation, minIsolation)) {
      throw refuse('ISOLATION_UNAVAILABLE', `its manifest wants isolation "${minIsolation}", the launcher "${launcher.name}" gives "${launcher.isolation}".`);
    }
    return { launcher, runtime: { ...runtime, entry: runtime.entry } };
  }

  #createWorker(launcher: Launcher, runtime: LaunchRequest['runtime']): Worker {
    const { manifest, platform, codec, frameLimits, timings, maxQueuedBytes, maxConcurrency, maxIncomingCalls, debug, workerHandlers } = this.#options;
    return new Worker({
      launcher,
      launch: {
        pluginId: manifest.id,
        pluginVersion: manifest.version,
        workerId: this.#options.createId(),
        generation: this.#generation,
        runtime,
        directory: this.#options.directory,
      },
      platform,
      codec,
      limits: frameLimits,
      timings,
      maxQueuedBytes,
      maxConcurrency,
      maxIncomingCalls,
      debug,
      redact: this.#options.redact,
      admit: (hello) => this.#admit(hello),
      handlers: {
        ...workerHandlers,
        onOneWayCredit: () => this.#options.subscriptions.wake(),
        onState: (worker, from, to) => {
          this.#options.onWorkerState(worker, from, to);
          if (to !== 'ready') this.#options.subscriptions.wake();
          if (to === 'exited' && worker === this.#worker && this.#state === 'active') this.#apply('failed-final', worker.reason);
        },
      },
    });
  }

  #admit(hello: HelloFields): Omit<WelcomeFields, 'version' | 'features'> {
    const { manifest, createId, authority, config, secretConfigKeys, frameLimits, maxConcurrency, timings, debug } = this.#options;
    if (hello.role !== 'worker') throw new WorkerRuntimeError('HANDSHAKE_INVALID', 'What the host launched must be a worker.');
    if (hello.plugin !== undefined && (hello.plugin.id !== manifest.id || hello.plugin.version !== manifest.version)) {
      throw new WorkerRuntimeError('HANDSHAKE_INVALID', `The worker calls itself ${hello.plugin.id} ${hello.plugin.version}, but ${manifest.id} ${manifest.version} was launched.`);
    }
    return {
      session: createId(),
      generation: this.#generation,
      plugin: { id: manifest.id, version: manifest.version },
      grants: authority.wireGrants,
      config,
      secretConfigKeys,
      limits: { maxFrameBytes: frameLimits.maxFrameBytes, maxDepth: frameLimits.maxDepth, maxElements: frameLimits.maxElements, maxConcurrency },
      heartbeatMs: timings.heartbeatMs,
      debug,
    };
  }

  async #runInstallHook(worker: Worker): Promise<void> {
    try {
      await worker.session.call('plugin.install', {}, { timeoutMs: this.#options.timings.hookTimeoutMs });
    } catch (error) {
      if (!isWorkerRuntimeError(error, 'METHOD_NOT_FOUND')) throw error;
    }
    this.#installed = true;
  }

  async #finishStop(worker: Worker | undefined, reason: string, graceMs?: number): Promise<void> {
    this.#stopping = (async () => {
      await worker?.stop(reason, graceMs);
      this.#apply(this.#stopAs, this.#reason);
    })().finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  #ready(): Worker {
    const worker = this.#worker;
    if (this.#state === 'active' && worker !== undefined) return worker;
    const reason = this.#reason ?? this.#makeReason('NOT_STARTED', 'The plugin is not active.');
    throw new WorkerRuntimeError('WORKER_UNAVAILABLE', `"${this.manifest.id}" is ${this.#state}: ${reason.message} ${reason.action}`, { reason, mayHaveRun: false });
  }

  #apply(event: PluginEvent, reason: Reason | undefined): void {
    const from = this.#state;
    const { to, effects } = transition(pluginTable, from, event);
    if (to === from && effects.length === 0) return;
    this.#state = to;
    this.#reason = to === 'active' ? undefined : reason;
    if (effects.includes('announce')) this.#options.onPluginState(from, to, this.#reason, this.#generation);
  }

  #makeReason(code: ReasonCode, message: string): Reason {
    return createReason(this.#options.platform.clock, code, message);
  }
}

/** From the weakest level to the strongest; `external` is none that a launcher gives. */
const isolationOrder: readonly IsolationLevel[] = ['none', 'process', 'sandbox'];

function isAtLeast(given: IsolationLevel, wanted: IsolationLevel): boolean {
  return wanted === given || (wanted !== 'external' && isolationOrder.indexOf(given) >= isolationOrder.indexOf(wanted));
}

function eitherSignal(own: AbortSignal | undefined, outer: AbortSignal): AbortSignal {
  if (own === undefined) return outer;
  const controller = new AbortController();
  for (const signal of [own, outer]) {
    if (signal.aborted) controller.abort(signal.reason);
    else signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
  }
  return controller.signal;
}
