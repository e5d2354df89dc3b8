import { builtinCapabilities } from '../capabilities/builtin-capabilities.js';
import type { CapabilityCatalogue, CapabilityRequest } from '../capabilities/capability.js';
import { createCatalogue } from '../capabilities/catalogue.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { strictCodec } from '../messages/strict-codec/strict-codec.js';
import type { Contract } from '../plugin/contract.js';
import { type ContractCaller, createContractClient } from '../plugin/contract-client.js';
import type { ContractClient } from '../plugin/contract-types.js';
import type { Plugin } from '../plugin/plugin.js';
import type { SessionCallOptions } from '../session/call-options.js';
import type { CallStream } from '../session/call-stream.js';
import type { CapabilityWish } from './fake-plugin.js';
import type { PluginFaults } from './faults.js';
import { LeakCheck } from './leaks.js';
import { MemoryLauncher } from './memory-launcher.js';
import { PluginBench } from './plugin-bench.js';
import type { Denial, LoggedLine, PublishedEvent, ReportedProgress, ServiceStub } from './plugin-records.js';
import type { SimulatedClock } from './simulated-clock.js';
import { createSimulatedPlatform } from './simulated-platform.js';

/** Options of {@link testPlugin}. */
export interface TestPluginOptions {
  /** The plugin's configuration, as if the host had validated it. Default empty. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Keys of `config` whose values are secret. */
  readonly secretConfigKeys?: readonly string[];
  /** What the plugin may do, as its manifest would request it: `{ capability: 'events.publish', topics: ['mail.*'] }`. Default nothing. */
  readonly grants?: readonly CapabilityWish[];
  /** Methods of the host by their name on the wire, as `storage.get`. The rest of the host's own methods work, in memory. */
  readonly services?: Readonly<Record<string, ServiceStub>>;
  /** The capabilities that `grants` and `services` may name. Default: the built-in ones. */
  readonly catalogue?: CapabilityCatalogue;
  /** Its id, as a manifest would give it. Default `test-plugin`. */
  readonly id?: string;
  /** Its version. Default `1.0.0`. */
  readonly version?: string;
  /** Calls that the host keeps in flight. Default 10. */
  readonly maxConcurrency?: number;
  /** Seed of random numbers. Default 1. */
  readonly seed?: number;
}

/** A plugin that runs by itself, in the hands of a test. */
export interface TestPlugin<C extends Contract> {
  /** The plugin's own contract, as its callers see it. */
  readonly api: ContractClient<C>;
  /** Calls a method by its name on the wire, as the host would. */
  call(method: string, params?: unknown, options?: SessionCallOptions): Promise<unknown>;
  /** Starts a stream by its name on the wire. */
  stream(method: string, params?: unknown, options?: SessionCallOptions): CallStream;
  /**
   * Hands the plugin an event, and resolves when its handlers have done what needs no time. Rejects with INVALID_STATE if the plugin has not subscribed to
   * the topic: it would never see the event.
   */
  publishEvent(topic: string, payload?: unknown, options?: { readonly source?: string; readonly correlationId?: string }): Promise<void>;
  /** What the plugin attempted and was not granted, oldest first. */
  readonly denials: readonly Denial[];
  /** What it logged. */
  readonly logs: readonly LoggedLine[];
  /** What it published. */
  readonly published: readonly PublishedEvent[];
  /** What it reported in its calls. */
  readonly progress: readonly ReportedProgress[];
  /** Time passes only when the test says so. */
  readonly clock: SimulatedClock;
  /** Lets things go wrong with the plugin and its connection. */
  readonly faults: PluginFaults;
  /**
   * Drains the plugin, unloads it and ends its session. Idempotent. Rejects with INVALID_STATE, listing it, if something was left behind: open calls and
   * streams, running handlers, timers.
   */
  stop(): Promise<void>;
  /** The same as `stop()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Runs a plugin alone, in memory: over the real wire and session, behind the real door with the real policy. What is not in `grants` is denied, and noted
 * in `denials`.
 *
 * ```ts
 * const p = await testPlugin(plugin, { grants: [{ capability: 'storage.read', keys: ['pages/*'] }], services: { 'storage.get': () => ({ found: false }) } });
 * await p.call('summarize', { text: 'a' });
 * expect(p.denials).toEqual([]);
 * await p.stop();
 * ```
 *
 * Rejects with what loading the plugin rejects with (`onLoad` failed, a subscription was denied); INVALID_ARGUMENT for grants and services that are not acceptable.
 */
export async function testPlugin<C extends Contract>(plugin: Plugin<C>, options: TestPluginOptions = {}): Promise<TestPlugin<C>> {
  const { catalogue = createCatalogue(builtinCapabilities), id = 'test-plugin', version = '1.0.0' } = options;
  const platform = createSimulatedPlatform({ seed: options.seed ?? 1 });
  const { clock } = platform;
  const codec = strictCodec();
  const launcher = new MemoryLauncher(plugin, platform, codec);
  const bench = new PluginBench({
    platform,
    codec,
    catalogue,
    id,
    version,
    requests: readGrants(options.grants ?? [], catalogue),
    stubs: options.services ?? {},
    config: options.config ?? {},
    secretConfigKeys: options.secretConfigKeys ?? [],
    maxConcurrency: options.maxConcurrency ?? 10,
  });
  let stopping: Promise<void> | undefined;
  const watched = (method: string, callOptions: SessionCallOptions): SessionCallOptions => ({
    ...callOptions,
    onProgress(progress) {
      bench.progress.push({ method, ...progress });
      callOptions.onProgress?.(progress);
    },
  });
  const test: Omit<TestPlugin<C>, 'api'> & ContractCaller = {
    call: (method, params, callOptions = {}) => bench.session.call(method, params, watched(method, callOptions)),
    stream: (method, params, callOptions = {}) => bench.session.stream(method, params, watched(method, callOptions)),
    async publishEvent(topic, payload, eventOptions = {}) {
      bench.deliver(topic, payload, eventOptions);
      await clock.settle();
    },
    denials: bench.denials,
    logs: bench.logs,
    published: bench.published,
    progress: bench.progress,
    clock,
    faults: {
      crash(fault = {}) {
        if (fault.at !== undefined || fault.method !== undefined) launcher.faults.armCrash(fault);
        else launcher.workers.at(-1)?.crash();
      },
      stall: (fault = {}) => launcher.faults.addStall(fault),
      drop: (fault = {}) => launcher.faults.addDrop(fault),
      deny: ({ capability }) => bench.deny(capability),
      async clear() {
        launcher.clearFaults();
        await bench.grantAll();
      },
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
    [Symbol.asyncDispose]: () => test.stop(),
  };
  await bench.grantAll();
  try {
    await clock.runUntil(bench.start(launcher));
  } catch (error) {
    launcher.workers.at(-1)?.crash();
    await clock.settle();
    throw error;
  }
  return { ...test, api: createContractClient(plugin.contract, test) };

  async function stop(): Promise<void> {
    const leaks = new LeakCheck(clock, new Map([[id, launcher]]));
    await clock.settle();
    leaks.noteOpenCalls();
    launcher.clearFaults();
    await clock.runUntil(bench.stop());
    await clock.settle();
    leaks.finish();
  }
}

function readGrants(wishes: readonly CapabilityWish[], catalogue: CapabilityCatalogue): CapabilityRequest[] {
  return wishes.map(({ capability: name, ...raw }) => {
    const capability = catalogue.get(name);
    if (capability === undefined)
      throw new WorkerRuntimeError(
        'UNKNOWN_CAPABILITY',
        `There is no capability "${name}" to grant; the catalogue has ${catalogue.names.join(', ')}.`,
      );
    const { reason: _reason, optional: _optional, ...fields } = raw;
    const parsed = capability.parseScope(fields);
    if ('scope' in parsed) return { capability: name, scope: parsed.scope, optional: false };
    throw new WorkerRuntimeError(
      'INVALID_ARGUMENT',
      `The grant of ${name} is not acceptable: ${parsed.problems.map(({ message }) => message).join(' ')}`,
    );
  });
}
