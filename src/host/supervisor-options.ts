import type { ErrorCode } from '../errors/codes.js';
import type { Reason } from '../errors/reason.js';
import type { Launcher } from '../interfaces/launcher.js';
import type { Redactor } from '../plugin/redactor.js';
import type { TrustTier } from '../policy/policy.js';
import type { WorkerHandlers, WorkerOptions } from '../worker/worker-options.js';
import type { AdmissionOptions } from './admission.js';
import type { DialInPort } from './dial-in/dial-in-port.js';
import type { PluginLog } from './plugin-log.js';
import type { PluginSubscriptions } from './plugin-subscriptions.js';
import type { PluginState } from './plugin-table.js';

/** What a supervisor is made of. */
export interface SupervisorOptions extends Omit<AdmissionOptions, 'heartbeatMs'> {
  readonly platform: WorkerOptions['platform'];
  readonly workers: Pick<WorkerOptions, 'codec' | 'timings' | 'maxIncomingCalls' | 'maxQueuedBytes' | 'clean' | 'withoutSecrets'>;
  readonly directory: string | undefined;
  /** Whether what the plugin consists of is still what was installed; undefined where nobody can tell. */
  readonly isUnchanged: (() => Promise<boolean>) | undefined;
  readonly trust: TrustTier;
  readonly launcher: Launcher | undefined;
  /** Where workers of the plugin that dial in are handed over. */
  readonly dialIns: DialInPort;
  readonly subscriptions: PluginSubscriptions;
  readonly log: PluginLog;
  readonly redactor: Redactor;
  readonly handlerTimeoutMs: number;
  /** Of the last worker of this plugin, in whatever version; 0 if there was none. */
  readonly lastGeneration: number;
  readonly workerHandlers: Omit<WorkerHandlers, 'onState' | 'onOneWayCredit' | 'onUnloadFailed'>;
  onPluginState(from: PluginState, to: PluginState, reason: Reason | undefined, generation: number): void;
  onWorkerState: WorkerHandlers['onState'];
}

/** Why a supervisor starts nothing any more. */
export interface SupervisorEnd {
  readonly code: Extract<ErrorCode, 'HOST_STOPPED' | 'PLUGIN_NOT_FOUND'>;
  readonly message: string;
}

/** A start that has not come to its end. */
export interface StartAttempt {
  readonly launcher: Launcher | undefined;
  /** Whether the launcher was asked already. */
  launched: boolean;
  /** Set when the plugin was stopped meanwhile: nothing is launched any more. */
  cancelled: Reason | undefined;
  readonly done: Promise<void>;
}
