import { expect, onTestFinished } from 'vitest';
import { builtinCapabilities } from '../../src/capabilities/builtin-capabilities.js';
import { createCatalogue } from '../../src/capabilities/catalogue.js';
import { isWorkerRuntimeError, type WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { createHost, type Host } from '../../src/host/create-host.js';
import type { HostOptions, InstallOptions } from '../../src/host/host-options.js';
import type { Plugin as PluginHandle } from '../../src/host/plugin.js';
import type { PluginSource } from '../../src/host/plugin-source.js';
import type { LaunchedWorker, Launcher, LaunchRequest, WorkerExit } from '../../src/interfaces/launcher.js';
import type { Logger } from '../../src/interfaces/logger.js';
import type { Connection } from '../../src/interfaces/transport.js';
import { definePlugin, type UntypedPlugin } from '../../src/plugin/define-plugin.js';
import type { Plugin } from '../../src/plugin/plugin.js';
import { type RunningPlugin, runPlugin } from '../../src/plugin/run-plugin.js';
import { parsePolicy } from '../../src/policy/parse-policy.js';
import type { PolicyRuleDocument } from '../../src/policy/policy-schema.js';
import type { SimulatedClock } from '../../src/testing/simulated-clock.js';
import { createSimulatedPlatform, type SimulatedPlatform } from '../../src/testing/simulated-platform.js';
import { createMemoryPair, type MemoryPair } from '../../transports/memory/memory-pair.js';

/** A worker in memory, as a test sees it. */
export interface FakeWorker {
  readonly request: LaunchRequest;
  readonly pair: MemoryPair;
  /** The worker's end. */
  readonly connection: Connection;
  readonly running: Promise<RunningPlugin>;
  readonly terminations: number;
  readonly kills: number;
  exit(exit?: Partial<WorkerExit>): void;
}

/** What stands for a process: takes its end of the connection. Default: runs the plugin and exits when its session has ended. */
export type Behaviour = (worker: FakeWorker, platform: SimulatedPlatform) => void;

export interface MemoryLauncherOptions {
  readonly isolation?: Launcher['isolation'];
  /** What SIGTERM does. Default: the worker exits. */
  readonly ignoresTermination?: boolean;
  readonly ignoresKill?: boolean;
  readonly beforeLaunch?: (request: LaunchRequest) => Promise<void> | void;
  readonly highWaterMark?: number;
}

/** Starts workers in memory; `workers` has all that it started. */
export function memoryLauncher(
  platform: SimulatedPlatform,
  behaviour: Behaviour,
  options: MemoryLauncherOptions = {},
): Launcher & { readonly workers: FakeWorker[] } {
  const workers: FakeWorker[] = [];
  return {
    name: 'memory',
    isolation: options.isolation ?? 'process',
    workers,
    async launch(request): Promise<LaunchedWorker> {
      await options.beforeLaunch?.(request);
      const pair = createMemoryPair({ clock: platform.clock, highWaterMark: options.highWaterMark ?? 65_536 });
      let resolveExited!: (exit: WorkerExit) => void;
      const exited = new Promise<WorkerExit>((resolve) => {
        resolveExited = resolve;
      });
      const worker = {
        request,
        pair,
        connection: pair[1],
        running: undefined as unknown as Promise<RunningPlugin>,
        terminations: 0,
        kills: 0,
        exit(exit: Partial<WorkerExit> = {}) {
          resolveExited({ exitCode: 0, signal: null, ...exit });
          pair[1].close({ abort: true });
        },
      };
      workers.push(worker);
      behaviour(worker, platform);
      return {
        connection: pair[0],
        exited,
        pid: 4_711,
        description: 'a worker in memory',
        terminate() {
          worker.terminations += 1;
          if (options.ignoresTermination !== true) worker.exit({ exitCode: null, signal: 'SIGTERM' });
        },
        kill() {
          worker.kills += 1;
          if (options.ignoresKill !== true) worker.exit({ exitCode: null, signal: 'SIGKILL' });
        },
      };
    },
  };
}

/** Runs a plugin, as `serve` would in a process of its own. @param options.exits whether it exits when its session has ended. */
export function runs(plugin: Plugin, { exits = true }: { readonly exits?: boolean } = {}): Behaviour {
  return (worker, platform) => {
    const { pluginId, pluginVersion } = worker.request;
    const running = runPlugin(plugin, { connection: worker.connection, platform, pluginId, pluginVersion });
    Object.assign(worker, { running });
    running.then(
      async (run) => {
        await run.ended;
        // Resolves when what was said last has left.
        await run.fail('The session has ended.');
        if (exits) worker.exit({ exitCode: run.saidGoodbye ? 0 : 1 });
      },
      () => exits && worker.exit({ exitCode: 1 }),
    );
  };
}

export interface LoggedLine {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface RigOptions extends Partial<Omit<HostOptions, 'platform' | 'policy'>> {
  readonly rules?: readonly PolicyRuleDocument[];
}

/** A host over workers in memory. */
export interface Rig {
  readonly host: Host;
  readonly platform: SimulatedPlatform;
  readonly clock: SimulatedClock;
  readonly logs: LoggedLine[];
}

export const allow = (capability: string, scope?: Record<string, string[]>): PolicyRuleDocument => ({
  effect: 'allow',
  capability,
  ...(scope === undefined ? {} : { scope }),
});
export const deny = (capability: string, scope?: Record<string, string[]>): PolicyRuleDocument => ({ ...allow(capability, scope), effect: 'deny' });

export function createRig({ rules = [], ...options }: RigOptions = {}): Rig {
  const platform = createSimulatedPlatform();
  const logs: LoggedLine[] = [];
  const write = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) => void logs.push({ level, fields, message });
  const logger: Logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const catalogue = options.catalogue ?? createCatalogue(builtinCapabilities);
  const policy = parsePolicy({ version: 1, rules }, { catalogue, fileName: 'policy.yml' });
  const host = createHost({ logger, ...options, catalogue, platform, policy });
  const { clock } = platform;
  // Stops what the test has made, and proves that no timer is left.
  onTestFinished(async () => {
    await clock.runUntil(host.stop({ graceMs: 0 }));
    await clock.settle();
    expect(clock.pendingTimers).toBe(0);
  });
  return { host, platform, clock, logs };
}

/** A request of a manifest. */
export type Request = Readonly<Record<string, unknown>> & { readonly capability: string };

export interface ManifestParts {
  readonly id?: string;
  readonly version?: string;
  readonly requests?: readonly Request[];
  readonly more?: Readonly<Record<string, unknown>>;
}

export function manifestText({ id = 'tested', version = '1.0.0', requests = [], more = {} }: ManifestParts = {}): string {
  return JSON.stringify({
    id,
    name: 'Tested',
    author: 'tests',
    type: 'skill',
    version,
    runtime: { type: 'nodejs', entry: 'main.js' },
    requires: { capabilities: requests },
    ...more,
  });
}

export interface InstallParts extends ManifestParts {
  readonly plugin?: UntypedPlugin;
  readonly behaviour?: Behaviour;
  readonly launcher?: MemoryLauncherOptions;
  readonly install?: InstallOptions;
}

/** Installs a plugin whose workers run in memory. */
export async function installFake(
  rig: Rig,
  { plugin = {}, behaviour, launcher: launcherOptions, install, ...parts }: InstallParts = {},
): Promise<{ readonly plugin: PluginHandle; readonly workers: FakeWorker[]; readonly source: PluginSource }> {
  const launcher = memoryLauncher(rig.platform, behaviour ?? runs(definePlugin(plugin)), launcherOptions);
  const source: PluginSource = { manifest: manifestText(parts), manifestFileName: 'manifest.json', launcher };
  return { plugin: await rig.host.install(source, install), workers: launcher.workers, source };
}

/** Installs and starts. */
export async function startFake(rig: Rig, parts: InstallParts = {}): Promise<Awaited<ReturnType<typeof installFake>>> {
  const installed = await installFake(rig, parts);
  await installed.plugin.start();
  return installed;
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<WorkerRuntimeError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('value' in outcome) throw new Error(`It resolved: ${JSON.stringify(outcome.value)}`);
  if (!isWorkerRuntimeError(outcome.error)) throw outcome.error;
  return outcome.error;
}

/** A promise and its lever. */
export function gate<T = void>(): { readonly promise: Promise<T>; open(value: T): void } {
  let open!: (value: T) => void;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

/** All texts within a value. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([key, part]) => [key, ...textsIn(part)]) : [];
}

/** Characters that no record and no line may hold. */
export const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;
