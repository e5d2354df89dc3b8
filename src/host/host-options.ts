import type { CapabilityCatalogue } from '../capabilities/capability.js';
import type { FrameLimits } from '../frames/limits.js';
import type { Launcher } from '../interfaces/launcher.js';
import type { Logger } from '../interfaces/logger.js';
import type { Platform } from '../interfaces/platform.js';
import type { ValueCodec } from '../messages/codec.js';
import type { GrantStore } from '../policy/grant-store.js';
import type { Policy, TrustTier } from '../policy/policy.js';
import type { RouteMessage } from '../services/agents-service.js';
import type { Service } from '../services/define-service.js';
import type { StorageBackend } from '../services/storage-service.js';
import type { WorkerTimings } from '../worker/worker-options.js';
import type { AuditSink } from './audit.js';
import type { DialInOptions } from './dial-in/dial-in-options.js';
import type { HostLimits } from './limits.js';
import type { FileUrl, PluginSource } from './plugin-source.js';

/** What a host is made of. */
export interface HostOptions {
  /** Time, randomness and hashes; on Node `nodePlatform()`, in tests a simulated one. */
  readonly platform: Platform;
  /** Starts workers of plugins that bring no launcher of their own. */
  readonly launcher?: Launcher;
  /** The operator's policy, made by `parsePolicy`. Default: nothing is granted by itself. */
  readonly policy?: Policy;
  /** The capabilities that the host knows. Default: the built-in ones. */
  readonly catalogue?: CapabilityCatalogue;
  /** Where approvals are kept. Default: in memory. */
  readonly grantStore?: GrantStore;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Services of the embedder's own, behind the same door as the built-in ones. */
  readonly services?: readonly Service[];
  /** Takes messages that channels received to where they belong. */
  readonly routeMessage?: RouteMessage;
  /** The plugins' storage. Default: in memory, with quotas. */
  readonly storage?: StorageBackend;
  /** Gets every audit record. */
  readonly onAudit?: AuditSink;
  /** Overrides single time limits. */
  readonly timings?: Partial<WorkerTimings>;
  /** Overrides single limits. */
  readonly limits?: HostLimits;
  /** Bounds on what dials in (`host.listen`). Each has a default. */
  readonly dialIn?: DialInOptions;
  /** Limits of frames and values; default 4 MiB, depth 32, 100,000 elements. */
  readonly frameLimits?: Partial<FrameLimits>;
  /** Default: `strictCodec()`. */
  readonly codec?: ValueCodec;
  /** Stacks of errors travel between host and workers. Default false. */
  readonly debug?: boolean;
  /** Reads a plugin from a path or a `file:` URL; `createNodeHost` supplies it. */
  readonly readSource?: (location: string | FileUrl) => Promise<PluginSource>;
}

/** How a plugin is installed. */
export interface InstallOptions {
  /** How far the operator trusts it; never taken from the manifest. Default `unverified`. */
  readonly trust?: TrustTier;
  /** Its configuration, checked against the manifest's `config_schema`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Overrides single limits of the host for this plugin. */
  readonly limits?: HostLimits;
  /** Overrides single time limits of the host for this plugin. */
  readonly timings?: Partial<WorkerTimings>;
}
