import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { createHost, type Host } from '../host/create-host.js';
import type { HostOptions } from '../host/host-options.js';
import { strictCodec } from '../messages/strict-codec/strict-codec.js';
import type { FakePlugin } from './fake-plugin.js';
import type { PluginFaults } from './faults.js';
import { LeakCheck } from './leaks.js';
import { MemoryLauncher } from './memory-launcher.js';
import type { SimulatedClock } from './simulated-clock.js';
import { createSimulatedPlatform } from './simulated-platform.js';

/** Options of {@link createTestHost}; those of a host are handed to it. */
export interface TestHostOptions extends Omit<HostOptions, 'platform' | 'launcher' | 'readSource'> {
  /** The plugins, made by `fakePlugin`. Each needs an id of its own. */
  readonly plugins: readonly FakePlugin[];
  /** Whether the plugins are started. Default true. */
  readonly start?: boolean;
  /** Seed of random numbers. Default 1. */
  readonly seed?: number;
}

/** A real host with plugins in memory, on a clock that the test moves. */
export interface TestHost {
  /** A host as in production, but for its clock, its chance and its launchers. */
  readonly host: Host;
  /** Time passes only when the test says so. */
  readonly clock: SimulatedClock;
  /** Lets things go wrong with a plugin's worker. @throws PLUGIN_NOT_FOUND */
  faults(pluginId: string): PluginFaults;
  /**
   * Stops the host, letting as much simulated time pass as that takes. Idempotent.
   * Rejects with INVALID_STATE, listing it, if the test left something behind: open calls and streams, running handlers, sessions, timers.
   */
  stop(): Promise<void>;
  /** The same as `stop()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a host for tests of what uses plugins: no processes, no sleeping, nothing that depends on chance. Plugins are installed, granted everything
 * that they request, and started; with a `policy` that policy alone decides.
 *
 * ```ts
 * const t = await createTestHost({ plugins: [fakePlugin(summarizer, { summarize: async () => ({ summary: 'x' }) }, { id: 'summarizer' })] });
 * t.faults('summarizer').crash({ at: 'after-send' });
 * await t.stop();
 * ```
 *
 * Rejects with what installing or starting a plugin rejects with; nothing runs then.
 */
export async function createTestHost(options: TestHostOptions): Promise<TestHost> {
  const { plugins, start = true, seed = 1, codec = strictCodec(), ...hostOptions } = options;
  const platform = createSimulatedPlatform({ seed });
  const { clock } = platform;
  const host = createHost({ ...hostOptions, codec, platform });
  const launchers = new Map<string, MemoryLauncher>();
  const approveAll = options.policy === undefined;
  let stopping: Promise<void> | undefined;

  const test: TestHost = {
    host,
    clock,
    faults(pluginId) {
      const launcher = launchers.get(pluginId);
      if (launcher === undefined) throw new WorkerRuntimeError('PLUGIN_NOT_FOUND', `The test host has no plugin "${pluginId}".`);
      return createFaults(host, pluginId, launcher);
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
    [Symbol.asyncDispose]: () => test.stop(),
  };
  try {
    for (const fake of plugins) await install(fake);
  } catch (error) {
    await clock.runUntil(host.stop({ graceMs: 0 }));
    throw error;
  }
  return test;

  async function install({ id, plugin, manifest, config, trust }: FakePlugin): Promise<void> {
    if (launchers.has(id))
      throw new WorkerRuntimeError('INVALID_ARGUMENT', `Two plugins of the test host are called "${id}"; give each an id of its own.`);
    const launcher = new MemoryLauncher(plugin, platform, codec);
    launchers.set(id, launcher);
    const installed = await host.install(
      { manifest, manifestFileName: 'manifest.json', launcher },
      { ...(config === undefined ? {} : { config }), ...(trust === undefined ? {} : { trust }) },
    );
    if (approveAll) await installed.approve({ by: 'the test host' });
    if (start) await clock.runUntil(installed.start());
  }

  async function stop(): Promise<void> {
    const leaks = new LeakCheck(clock, launchers);
    await clock.settle();
    leaks.noteOpenCalls();
    for (const launcher of launchers.values()) launcher.clearFaults();
    await clock.runUntil(host.stop());
    await clock.settle();
    leaks.finish();
  }
}

function createFaults(host: Host, pluginId: string, launcher: MemoryLauncher): PluginFaults {
  const plugin = host.plugin(pluginId);
  return {
    crash(fault) {
      if (fault?.at !== undefined) return launcher.faults.armCrash(fault);
      if (fault?.method !== undefined) launcher.faults.armCrash(fault);
      launcher.workers.at(-1)?.crash();
    },
    stall: (fault = {}) => launcher.faults.addStall(fault),
    drop: (fault = {}) => launcher.faults.addDrop(fault),
    async deny({ capability }) {
      const grants = plugin.grants.filter((grant) => grant.capability === capability);
      if (grants.length === 0) {
        throw new WorkerRuntimeError('INVALID_ARGUMENT', `"${pluginId}" has no grant for ${capability}: what needs it is denied as it is.`);
      }
      for (const { id } of grants) await host.revoke(id, { by: 'the test host', reason: 'A fault of the test.' });
    },
    async clear() {
      launcher.clearFaults();
      await plugin.approve({ by: 'the test host' });
    },
  };
}
