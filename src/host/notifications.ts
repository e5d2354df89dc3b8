import { EventEmitter } from 'eventemitter3';
import type { Reason } from '../errors/reason.js';
import type { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Logger } from '../interfaces/logger.js';
import type { PluginHealth } from '../services/baseline-services.js';
import type { WorkerState } from '../worker/worker-table.js';
import type { AuditRecord } from './audit.js';
import type { PluginState } from './plugin-table.js';

/** What a host tells its embedder by `host.on`. */
export interface HostNotifications {
  /** A plugin's lifecycle went on. `reason` says why it is not active. */
  'plugin.state': { readonly plugin: string; readonly from: PluginState; readonly to: PluginState; readonly reason: Reason | undefined };
  /** A worker's lifecycle went on. */
  'worker.state': {
    readonly plugin: string;
    readonly worker: string;
    readonly generation: number;
    readonly from: WorkerState;
    readonly to: WorkerState;
    readonly reason: Reason | undefined;
  };
  /** A plugin logged or printed a line. */
  'plugin.log': {
    readonly plugin: string;
    readonly worker: string;
    readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
    readonly message: string;
    readonly fields: Readonly<Record<string, unknown>>;
    /** `log`: by the SDK; `stdout`, `stderr`: printed. */
    readonly source: 'log' | 'stdout' | 'stderr';
  };
  /** A plugin reported how it is. */
  'plugin.health': { readonly plugin: string; readonly worker: string; readonly health: PluginHealth };
  /** A worker broke a rule of the protocol. If that ended it, `worker.state` follows. */
  'worker.violation': { readonly plugin: string; readonly worker: string; readonly error: WorkerRuntimeError };
  /** A record was added to the audit. */
  audit: AuditRecord;
}

/** Hands notifications to listeners; one that throws is logged and harms nobody. */
export class Notifier {
  readonly #emitter = new EventEmitter();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  on<Name extends keyof HostNotifications>(name: Name, listener: (notification: HostNotifications[Name]) => void): () => void {
    const guarded = (notification: HostNotifications[Name]): void => {
      try {
        // A listener may be async without anybody saying so.
        const returned: unknown = listener(notification);
        Promise.resolve(returned).catch((error: unknown) => this.#report(name, error));
      } catch (error) {
        this.#report(name, error);
      }
    };
    this.#emitter.on(name, guarded);
    return () => void this.#emitter.off(name, guarded);
  }

  emit<Name extends keyof HostNotifications>(name: Name, notification: HostNotifications[Name]): void {
    if (this.#emitter.listenerCount(name) > 0) this.#emitter.emit(name, notification);
  }

  close(): void {
    this.#emitter.removeAllListeners();
  }

  #report(name: string, error: unknown): void {
    this.#logger.error({ err: error, notification: name }, 'A listener of the host failed.');
  }
}
