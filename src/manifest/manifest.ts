import type { CapabilityRequest } from '../capabilities/capability.js';
import type { IsolationLevel } from '../interfaces/launcher.js';
import type { ConfigSchema } from './config-schema.js';

/** The kinds of plugin, as manifests name them; in lower case, whatever case was written. */
export const pluginTypes = ['channel', 'model', 'model-provider', 'skill', 'skill-bundle', 'mcp', 'bundle', 'theme', 'external'] as const;
/** A kind of plugin. */
export type PluginType = (typeof pluginTypes)[number];

/** How a worker is run. `external`: it is started elsewhere and dials in. */
export const runtimeTypes = ['python', 'nodejs', 'go', 'executable', 'mcp', 'external'] as const;
/** A way to run a worker. */
export type RuntimeType = (typeof runtimeTypes)[number];

/** A plugin that this one needs, or can use. */
export interface PluginDependency {
  readonly id: string;
  /** A version constraint; `*` when none was written. */
  readonly version: string;
  /** What a soft dependency enables. */
  readonly feature: string | undefined;
}

/** What a manifest asks to be allowed. */
export interface ManifestCapabilityRequest extends CapabilityRequest {
  /** `requires`: from requires.capabilities; `shorthand`: from a list `capabilities`; `permissions`: translated from the legacy field. */
  readonly origin: 'requires' | 'shorthand' | 'permissions';
  /** JSON Pointer to where it stands. */
  readonly path: string;
  /** Counts from 1. */
  readonly line: number;
  /** No rule may grant it, only a person: a legacy right that named no limits. */
  readonly alwaysNeedsApproval: boolean;
}

/** How the worker is started. */
export interface ManifestRuntime {
  readonly type: RuntimeType;
  /** Relative to the folder of the plugin, with `/`, without `.` and `..`; undefined only for `external`. */
  readonly entry: string | undefined;
  /** After the entry point: the program's own, never the interpreter's. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** `fd`: descriptor 3; `stdio`: standard input and output. */
  readonly channel: 'fd' | 'stdio';
  /** Least version of the interpreter, as `3.11`. */
  readonly minVersion: string | undefined;
}

/** What the plugin asks for; undefined: the default of its trust tier. A host may give less. */
export interface ManifestLimits {
  readonly maxConcurrency: number | undefined;
  readonly startTimeoutMs: number | undefined;
  readonly hookTimeoutMs: number | undefined;
  readonly handlerTimeoutMs: number | undefined;
  readonly maxLogLinesPerMinute: number | undefined;
  readonly maxMemoryBytes: number | undefined;
  /** 100 is one core. */
  readonly maxCpuPercent: number | undefined;
  readonly maxStorageBytes: number | undefined;
}

/** JSON Schemas, as they were written. Bounded by the limits of the document; nothing here has been compiled. */
export interface ManifestProvides {
  readonly methods: Readonly<Record<string, ProvidedMethod>>;
  readonly streams: Readonly<Record<string, ProvidedStream>>;
  /** Payloads by topic. */
  readonly events: Readonly<Record<string, unknown>>;
}
/** A method that the plugin offers. `params` and `result` are JSON Schemas. */
export interface ProvidedMethod {
  readonly description?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  /** Repeating it has no further effect. Default false. */
  readonly idempotent?: boolean;
}
/** A stream that the plugin offers. `item` is the JSON Schema of what it sends, `input` of what the caller sends. */
export interface ProvidedStream extends ProvidedMethod {
  readonly item?: unknown;
  readonly input?: unknown;
}

/** A manifest in normal form, whatever dialect it was written in. Deeply frozen. */
export interface Manifest {
  /** `name` or `author/name`. */
  readonly id: string;
  readonly name: string;
  readonly author: string;
  /** The kind as it was named, in lower case and with hyphens. */
  readonly type: PluginType;
  /** What the kind comes down to: `model-provider` is a `model`, `skill-bundle` a `bundle`. */
  readonly kind: 'channel' | 'model' | 'skill' | 'mcp' | 'bundle' | 'theme' | 'external';
  readonly version: string;
  readonly description: string | undefined;
  readonly license: string | undefined;
  readonly tags: readonly string[];
  /** As written; nobody checks it. */
  readonly minSynapse: string | undefined;
  readonly requires: {
    readonly plugins: readonly PluginDependency[];
    readonly softRequires: readonly PluginDependency[];
    readonly synapseVersion: string | undefined;
    readonly apiVersion: string | undefined;
    readonly java: string | undefined;
  };
  /** What the plugin asks to be allowed, in the order of the document. */
  readonly requests: readonly ManifestCapabilityRequest[];
  /** Features of a model (`streaming: true`). They grant nothing. */
  readonly features: Readonly<Record<string, boolean>>;
  /** Names of methods by hook, as `on_install`. */
  readonly hooks: Readonly<Record<string, string>>;
  readonly configSchema: ConfigSchema;
  readonly provides: ManifestProvides;
  readonly limits: ManifestLimits;
  /** Undefined: the host decides by trust tier. */
  readonly minIsolation: IsolationLevel | undefined;
  /** Undefined: valid, but cannot be started here. */
  readonly runtime: ManifestRuntime | undefined;
  readonly slots: { readonly channelId: string | undefined; readonly providerId: string | undefined };
  /** Where the author says that the plugin comes from. **Untrusted**: trust comes from the operator or a store, never from here. */
  readonly source: string | undefined;
  /** The section `resources` as it was written; `limits` says the same in one set of units. */
  readonly resources: Readonly<Record<string, number>>;
  /** Fields of the host project that are kept as they stand (`transport`, `mcp`, `tool_policy`, `store`, …). **Unchecked.** */
  readonly hostFields: Readonly<Record<string, unknown>>;
}
