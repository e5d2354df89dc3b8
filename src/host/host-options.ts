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
import type { PluginSource } from './plugin-source.js';

/** Bounds on what a plugin's workers may cost the host. */
export interface HostLimits {
  /** Calls in flight to one plugin. Default by trust tier: 25 official, else 10. More are refused with `OVERLOADED`. */
  readonly maxConcurrency?: number;
  /** Calls of one worker that the host works on at a time. Default 256. */
  readonly maxIncomingCalls?: number;
  /** Bytes that may wait for a worker that does not read. Default 32 MiB. */
  readonly maxQueuedBytes?: number;
  /** Subscriptions of one plugin. Default 256. */
  readonly maxSubscriptions?: number;
}

/** What a host is made of. */
export interface HostOptions {
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
  readonly limits?: HostLimits;
  /** Limits of frames and values; default 4 MiB, depth 32, 100,000 elements. */
  readonly frameLimits?: Partial<FrameLimits>;
  /** Default: MessagePack by msgpackr. */
  readonly codec?: ValueCodec;
  /** Stacks of errors travel between host and workers. Default false. */
  readonly debug?: boolean;
  /** Reads a plugin from a path; `createNodeHost` supplies it. */
  readonly readSource?: (path: string) => Promise<PluginSource>;
}

/** How a plugin is installed. */
export interface InstallOptions {
  /** How far the operator trusts it; never taken from the manifest. Default `unverified`. */
  readonly trust?: TrustTier;
  /** Its configuration, checked against the manifest's `config_schema`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Overrides the host's limits for this plugin. */
  readonly limits?: Pick<HostLimits, 'maxConcurrency'>;
  /** Overrides the host's time limits for this plugin. */
  readonly timings?: Partial<WorkerTimings>;
}
