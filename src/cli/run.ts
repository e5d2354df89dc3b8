import { setTimeout as sleep } from 'node:timers/promises';
import { builtinCapabilities } from '../capabilities/builtin-capabilities.js';
import type { CapabilityCatalogue } from '../capabilities/capability.js';
import { createCatalogue } from '../capabilities/catalogue.js';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Host } from '../host/create-host.js';
import type { Plugin } from '../host/plugin.js';
import { manifestDigest } from '../manifest/manifest-digest.js';
import { createNodeHost } from '../node/create-node-host.js';
import { nodePlatform } from '../node/node-platform.js';
import { readPluginFolder } from '../node/plugin-folder.js';
import { processLauncher } from '../node/process-launcher.js';
import { memoryGrantStore } from '../policy/grant-store.js';
import type { Plan } from '../policy/plan.js';
import type { TrustTier } from '../policy/policy.js';
import { applyGrants, grantsFor } from './apply-grants.js';
import { type ExitStatus, exitStatus } from './exit-status.js';
import { hostLogger } from './host-logger.js';
import type { Interruption } from './interruption.js';
import { jsonReport } from './json-report.js';
import { type KillableLauncher, killableLauncher } from './killable-launcher.js';
import { readableReport } from './readable-report.js';
import { type RunInputOptions, type RunInputs, readRunInputs } from './run-inputs.js';
import type { RunReport, ShownPlan } from './run-report.js';
import type { Terminal } from './terminal.js';

/** Options of {@link run}, as they stand on the command line. */
export interface RunOptions extends RunInputOptions {
  /** The method or stream. */
  readonly call: string;
  readonly trust: TrustTier;
  /** Of the call, in milliseconds; 0 = none. Default: 30,000 for a method; for a stream none, but 30,000 of silence. */
  readonly timeout?: number;
  /** From the launch until the plugin is ready, in milliseconds. Default 30,000. */
  readonly startTimeout?: number;
  readonly json?: boolean;
}

/** How long a plugin that failed, or a run that was interrupted, may take to stop in order before it is ended by force. */
const patienceMs = 3_000;
/** How many names of methods are shown. */
const maxOffered = 50;

/**
 * Installs a plugin in a host of its own, grants it what the options name, starts it, calls it, prints what comes of it, and stops it: when this
 * resolves, nothing of the plugin runs any more.
 */
export async function run(folder: string, options: RunOptions, terminal: Terminal, interruption: Interruption): Promise<ExitStatus> {
  const report = options.json === true ? jsonReport(terminal) : readableReport(terminal);
  const catalogue = createCatalogue(builtinCapabilities);
  const inputs = await readRunInputs(folder, options, catalogue).catch((error: unknown) => {
    if (!isWorkerRuntimeError(error)) throw error;
    report.failure(error, { isLocal: true });
    return undefined;
  });
  if (inputs === undefined) {
    await report.end();
    return exitStatus.usage;
  }
  const unwatch = interruption.watchSignals();
  const status = await new Run(folder, options, inputs, catalogue, report, interruption).perform();
  await report.end();
  unwatch();
  return interruption.status ?? status;
}

/** One run, from the host's making to its end. */
class Run {
  readonly #folder: string;
  readonly #options: RunOptions;
  readonly #inputs: RunInputs;
  readonly #catalogue: CapabilityCatalogue;
  readonly #report: RunReport;
  readonly #interruption: Interruption;
  readonly #launcher: KillableLauncher = killableLauncher(processLauncher());
  readonly #store = memoryGrantStore();

  constructor(folder: string, options: RunOptions, inputs: RunInputs, catalogue: CapabilityCatalogue, report: RunReport, interruption: Interruption) {
    this.#folder = folder;
    this.#options = options;
    this.#inputs = inputs;
    this.#catalogue = catalogue;
    this.#report = report;
    this.#interruption = interruption;
  }

  async perform(): Promise<ExitStatus> {
    const host = this.#createHost();
    // A start cannot be cancelled but by stopping what is being started.
    this.#interruption.signal.addEventListener('abort', () => void host.stop({ graceMs: 0 }), { once: true });
    void this.#interruption.insisted.then(() => this.#launcher.killAll());
    let plugin: Plugin | undefined;
    let status: ExitStatus = exitStatus.failed;
    try {
      plugin = await this.#install(host);
      await this.#start(plugin);
      await this.#call(plugin);
      status = exitStatus.ok;
    } catch (error) {
      if (!isWorkerRuntimeError(error)) throw error;
      status = plugin === undefined && isUsageError(error) ? exitStatus.usage : exitStatus.failed;
      await this.#reportFailure(error, plugin);
    } finally {
      await this.#stop(host, status === exitStatus.ok);
    }
    return status;
  }

  async #reportFailure(error: WorkerRuntimeError, plugin: Plugin | undefined): Promise<void> {
    const { mayHaveRun } = error;
    if (this.#interruption.signal.aborted) {
      // How the interruption made itself felt is of no interest: a cancelled call, a host that stops, a start that failed.
      const interrupted = new WorkerRuntimeError('CANCELLED', 'The run was interrupted.', mayHaveRun === undefined ? {} : { mayHaveRun });
      return this.#report.failure(interrupted, { isLocal: true });
    }
    // The plan is the host's and not the error's: what a worker threw may have details of the same name.
    const plan = plugin?.state === 'pending' ? this.#show(await plugin.plan()) : undefined;
    this.#report.failure(error, { plan, hint: this.#hint(error, plugin), isLocal: plugin === undefined });
  }

  #createHost(): Host {
    const report = this.#report;
    const { startTimeout } = this.#options;
    const host = createNodeHost({
      catalogue: this.#catalogue,
      policy: this.#inputs.policy,
      grantStore: this.#store,
      launcher: this.#launcher,
      logger: hostLogger((line) => report.line(line)),
      routeMessage: (message) => report.routed(message),
      ...(startTimeout === undefined ? {} : { timings: { startTimeoutMs: startTimeout } }),
    });
    host.on('plugin.log', ({ level, source, message, fields }) => report.line({ level, source, message, fields }));
    host.on('worker.violation', ({ error }) =>
      report.line({
        level: 'warn',
        source: 'host',
        message: error.message,
        fields: { code: error.code },
      }),
    );
    host.on('audit', (record) => {
      if (record.kind === 'decision') report.denial(record);
    });
    return host;
  }

  async #install(host: Host): Promise<Plugin> {
    const source = await readPluginFolder(this.#folder);
    const plugin = await host.install(source, { trust: this.#options.trust, config: this.#inputs.config });
    const subject = {
      pluginId: plugin.id,
      manifestDigest: manifestDigest(source.manifest, nodePlatform().crypto),
      contentDigest: source.contentDigest,
    };
    await applyGrants({ plugin, words: this.#inputs.grants, catalogue: this.#catalogue, store: this.#store, subject });
    return plugin;
  }

  async #start(plugin: Plugin): Promise<void> {
    this.#assertWanted();
    await plugin.start();
    this.#report.started(this.#show(await plugin.plan()));
  }

  async #call(plugin: Plugin): Promise<void> {
    const report = this.#report;
    const { call: method, timeout: timeoutMs } = this.#options;
    const { params } = this.#inputs;
    this.#assertWanted();
    const options = {
      timeoutMs,
      signal: this.#interruption.signal,
      onProgress: ({ fraction, message }: { fraction: number | undefined; message: string | undefined }) => report.progress(fraction, message),
    };
    if (plugin.worker?.streams.includes(method) !== true) return report.result(await plugin.call(method, params, options));
    report.streaming();
    const stream = plugin.stream(method, params, options);
    for await (const item of stream) await report.item(item);
    await report.result(await stream.result);
  }

  /** In order; but whoever failed, or is waited for no longer, gets only so much time for it. */
  async #stop(host: Host, inOrder: boolean): Promise<void> {
    const stopped = host.stop();
    if (!inOrder || this.#interruption.signal.aborted) {
      const enough = new AbortController();
      await Promise.race([stopped, sleep(patienceMs, undefined, { signal: enough.signal }).catch(() => {})]);
      enough.abort();
      this.#launcher.killAll();
    }
    await stopped;
  }

  #show({ items }: Plan): ShownPlan {
    const open = items.filter(({ outcome }) => outcome === 'needs-approval');
    const [optional, required] = [true, false].map((kind) => open.filter((item) => item.optional === kind));
    return { items, grants: grantsFor(required ?? [], this.#catalogue), optionalGrants: grantsFor(optional ?? [], this.#catalogue) };
  }

  /** What helps beside the error: the limit that was passed, or what the plugin offers where the method does not exist. */
  #hint({ code }: WorkerRuntimeError, plugin: Plugin | undefined): string | undefined {
    const { timeout } = this.#options;
    const { worker } = plugin ?? {};
    if (code === 'DEADLINE_EXCEEDED' && timeout !== undefined) return `The time limit of the call was ${timeout} ms (--timeout).`;
    if (code !== 'METHOD_NOT_FOUND' || worker === undefined) return undefined;
    const offered = [...worker.methods, ...worker.streams];
    const more = offered.length > maxOffered ? ` and ${offered.length - maxOffered} more` : '';
    return offered.length === 0 ? 'The plugin offers no methods.' : `The plugin offers ${offered.slice(0, maxOffered).join(', ')}${more}.`;
  }

  #assertWanted(): void {
    if (this.#interruption.signal.aborted) throw new WorkerRuntimeError('CANCELLED', 'The run was interrupted.', { mayHaveRun: false });
  }
}

/** Whether it is for the caller of the command to repair, and not for the author of the plugin. */
function isUsageError(error: WorkerRuntimeError): boolean {
  return isWorkerRuntimeError(error, 'INVALID_ARGUMENT') || isWorkerRuntimeError(error, 'INVALID_CONFIG');
}
