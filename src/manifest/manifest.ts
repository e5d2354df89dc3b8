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
  /** Id of the other plugin, in either form. */
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
  /** In normal form: `python3` is `python`, `node` is `nodejs`, `binary` is `executable`. */
  readonly type: RuntimeType;
  /** Relative to the folder of the plugin, with `/`, without `.` and `..`; undefined only for `external`. */
  readonly entry: string | undefined;
  /** After the entry point: the program's own, never the interpreter's. */
  readonly args: readonly string[];
  /** Environment of the worker, at most 64 entries. What could load code into it (`LD_*`, `NODE_OPTIONS`, `PYTHONPATH`, …) was refused. */
  readonly env: Readonly<Record<string, string>>;
  /** `fd`: descriptor 3; `stdio`: standard input and output. */
  readonly channel: 'fd' | 'stdio';
  /** Least version of the interpreter, as `3.11`. */
  readonly minVersion: string | undefined;
}

/**
 * What the plugin asks for; undefined: what the host gives its trust tier. Asking lowers that and never raises it. The host
 * enforces neither `maxMemoryBytes` nor `maxCpuPercent` nor `maxStorageBytes`: they are read for a launcher or storage that does.
 */
export interface ManifestLimits {
  /** Calls that the host keeps in flight to the plugin, 1 to 1,000. Default 10, official 25. */
  readonly maxConcurrency: number | undefined;
  /** From launch to the end of the handshake, milliseconds up to 3,600,000. Default 30,000. */
  readonly startTimeoutMs: number | undefined;
  /** For on_load, on_unload and the other hooks, milliseconds up to 3,600,000. Default 10,000, official 30,000. */
  readonly hookTimeoutMs: number | undefined;
  /** Default time limit of a call, milliseconds up to 3,600,000. Default 30,000, official 60,000. */
  readonly handlerTimeoutMs: number | undefined;
  /** Lines that it may log or print in a minute, 1 to 100,000; more are dropped and counted. Default 300, official 1,000. */
  readonly maxLogLinesPerMinute: number | undefined;
  /** Memory of a worker, in bytes. A manifest writes MiB (`memory_mb`), up to 1 TiB. */
  readonly maxMemoryBytes: number | undefined;
  /** 100 is one core. */
  readonly maxCpuPercent: number | undefined;
  /** Storage of the plugin, in bytes. A manifest writes MiB (`resources.storage_mb`), up to 1 TiB. */
  readonly maxStorageBytes: number | undefined;
}

/** JSON Schemas, as they were written. Bounded by the limits of the document; nothing here has been compiled. */
export interface ManifestProvides {
  /** By name, at most 256. What is callable the worker itself says when it is loaded. */
  readonly methods: Readonly<Record<string, ProvidedMethod>>;
  /** By name, at most 256; no name is also that of a method. */
  readonly streams: Readonly<Record<string, ProvidedStream>>;
  /** Payloads by topic. */
  readonly events: Readonly<Record<string, unknown>>;
}
/** A method that the plugin offers. `params` and `result` are JSON Schemas. */
export interface ProvidedMethod {
  /** What it does, at most 2,000 characters. */
  readonly description?: string;
  /** JSON Schema of the params. */
  readonly params?: unknown;
  /** JSON Schema of the result. */
  readonly result?: unknown;
  /** Repeating it has no further effect. Default false. */
  readonly idempotent?: boolean;
}
/** A stream that the plugin offers. `item` is the JSON Schema of what it sends, `input` of what the caller sends. */
export interface ProvidedStream extends ProvidedMethod {
  /** JSON Schema of an item that the plugin sends. */
  readonly item?: unknown;
  /** JSON Schema of an item that the caller sends; absent: it sends none. */
  readonly input?: unknown;
}

/** A manifest in normal form, whatever dialect it was written in. Deeply frozen. */
export interface Manifest {
  /** `name` or `author/name`. */
  readonly id: string;
  /** For people, at most 128 characters. */
  readonly name: string;
  /** For people, at most 256 characters. **Untrusted**, as `source` is. */
  readonly author: string;
  /** The kind as it was named, in lower case and with hyphens. */
  readonly type: PluginType;
  /** What the kind comes down to: `model-provider` is a `model`, `skill-bundle` a `bundle`. */
  readonly kind: 'channel' | 'model' | 'skill' | 'mcp' | 'bundle' | 'theme' | 'external';
  /** Three numbers, then anything: `1.0.0`, `1.2.3-beta`. */
  readonly version: string;
  /** For people, at most 500 characters. */
  readonly description: string | undefined;
  /** An SPDX name by custom; nobody checks it. */
  readonly license: string | undefined;
  /** For a store; at most 256 of at most 64 characters. */
  readonly tags: readonly string[];
  /** As written; nobody checks it. */
  readonly minSynapse: string | undefined;
  /** What it needs beside capabilities. The form is checked; whether the plugins are there and the versions fit is for the host project to say. */
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
  /** What `InstallOptions.config` is checked against; without `config_schema` no configuration is taken. */
  readonly configSchema: ConfigSchema;
  /** What the author says that the plugin offers. */
  readonly provides: ManifestProvides;
  /** What the plugin asks for, in one set of units. */
  readonly limits: ManifestLimits;
  /** Undefined: the host decides by trust tier. */
  readonly minIsolation: IsolationLevel | undefined;
  /** Undefined: valid, but cannot be started here. */
  readonly runtime: ManifestRuntime | undefined;
  /** Ids that the host project keeps unique among its loaded plugins: of the channel, and of the model provider. */
  readonly slots: { readonly channelId: string | undefined; readonly providerId: string | undefined };
  /** Where the author says that the plugin comes from. **Untrusted**: trust comes from the operator or a store, never from here. */
  readonly source: string | undefined;
  /** The section `resources` as it was written; `limits` says the same in one set of units. */
  readonly resources: Readonly<Record<string, number>>;
  /** Fields of the host project that are kept as they stand (`transport`, `mcp`, `tool_policy`, `store`, …). **Unchecked.** */
  readonly hostFields: Readonly<Record<string, unknown>>;
}
