import type { Contract } from '../plugin/contract.js';
import { definePlugin, type Handlers } from '../plugin/define-plugin.js';
import type { Plugin, PluginOptions } from '../plugin/plugin.js';
import type { TrustTier } from '../policy/policy.js';

/** What a plugin of a test asks to be allowed, as in `requires.capabilities` of a manifest: `{ capability: 'events.publish', topics: ['mail.*'] }`. */
export interface CapabilityWish {
  /** Dotted name, as `events.publish`; it must be one that the host knows. */
  readonly capability: string;
  /** A field of its scope: a pattern or a list of patterns. A field left out asks for everything; `reason` and `optional` may stand here too. */
  readonly [scopeField: string]: unknown;
}

/** Options of {@link fakePlugin}. */
export interface FakePluginOptions extends PluginOptions {
  /** Its id, as the manifest would give it. Default `fake-plugin`. */
  readonly id?: string;
  /** Default `1.0.0`. */
  readonly version?: string;
  /** What it asks to be allowed. A test host grants it all, unless it has a policy. Default nothing. */
  readonly requests?: readonly CapabilityWish[];
  /** Fields that its manifest has beside these, as `config_schema` or `limits`. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** Its configuration. Needs a `config_schema` in `manifest`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** How far the host trusts it. Default `unverified`. */
  readonly trust?: TrustTier;
}

/** A plugin for a test host. */
export interface FakePlugin {
  /** What `host.plugin` and `faults` of the test host take. */
  readonly id: string;
  /** As its manifest gives it. */
  readonly version: string;
  /** What runs: contract, handlers and hooks. */
  readonly plugin: Plugin;
  /** The text of its manifest. */
  readonly manifest: string;
  /** What it is installed with; undefined: none. */
  readonly config: Readonly<Record<string, unknown>> | undefined;
  /** What it is installed with; undefined: the default of the host. */
  readonly trust: TrustTier | undefined;
}

/**
 * A plugin that exists only in a test: a contract and handlers, run in memory, over the real wire and the real session, so that what cannot be sent or
 * does not fit the contract fails as it would in production.
 *
 * ```ts
 * fakePlugin(summarizer, { summarize: async () => ({ summary: 'x' }) }, { id: 'summarizer' })
 * ```
 *
 * @throws INVALID_ARGUMENT as `definePlugin` does.
 */
export function fakePlugin<C extends Contract>(contract: C, handlers: NoInfer<Handlers<C>>, options: FakePluginOptions = {}): FakePlugin {
  const { id = 'fake-plugin', version = '1.0.0', requests = [], manifest = {}, config, trust, ...pluginOptions } = options;
  const document = {
    id,
    name: id,
    author: 'test',
    type: 'skill',
    version,
    runtime: { type: 'executable', entry: 'in-memory' },
    ...(requests.length === 0 ? {} : { requires: { capabilities: requests } }),
    ...manifest,
  };
  return { id, version, plugin: definePlugin(contract, handlers, pluginOptions), manifest: JSON.stringify(document), config, trust };
}
