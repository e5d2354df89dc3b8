import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';

/** Where in a call the worker dies. */
export interface CrashFault {
  /**
   * `before-send`: the worker is gone when the request would leave, so that it never ran; `after-send`: the request has arrived and its handler has
   * begun, but nothing of the answer left. Without it the worker dies at once.
   */
  readonly at?: 'before-send' | 'after-send';
  /** Only calls of this method, by its name on the wire; default any call but those of the runtime (`plugin.load` and the like). */
  readonly method?: string;
}

/** Which calls a fault strikes. */
export interface MethodFault {
  /** A method by its name on the wire; default all. */
  readonly method?: string;
}

/** What can go wrong with a plugin's worker, on purpose. */
export interface PluginFaults {
  /** The worker dies, once: its connection breaks and its process is gone, as by SIGKILL. Calls in flight are `WORKER_LOST`. */
  crash(fault?: CrashFault): void;
  /**
   * Calls hang until {@link PluginFaults.clear}: handlers run, but what they send is held back. Without a method the whole worker hangs, and misses
   * its heartbeats when time passes.
   */
  stall(fault?: MethodFault): void;
  /** Answers never come: what handlers send is lost for good. The worker lives on. */
  drop(fault?: MethodFault): void;
  /** Takes away all that the plugin was granted of a capability: calls that need it are `CAPABILITY_DENIED`. */
  deny(fault: { readonly capability: string }): Promise<void>;
  /** Ends all faults: what was held back flows, what was taken away is given back. */
  clear(): Promise<void>;
}

/** Methods of the runtime itself, which a fault strikes only by name. */
const ownMethod = /^(?:plugin|events|grants)\./;

/** The faults that are in force for the workers of one plugin. */
export class FaultPlan {
  #crash: CrashFault | undefined;
  readonly #stalled: MethodFault[] = [];
  readonly #dropped: MethodFault[] = [];

  /** Arms a crash for the next call that it matches. */
  armCrash(fault: CrashFault): void {
    if (fault.at !== 'before-send' && fault.at !== 'after-send') {
      throw new WorkerRuntimeError('INVALID_ARGUMENT', 'crash takes at: "before-send" or "after-send", or nothing to crash at once.');
    }
    this.#crash = fault;
  }

  addStall(fault: MethodFault): void {
    this.#stalled.push(fault);
  }

  addDrop(fault: MethodFault): void {
    this.#dropped.push(fault);
  }

  clear(): void {
    this.#crash = undefined;
    this.#stalled.length = 0;
    this.#dropped.length = 0;
  }

  /** Where the worker dies in this call; the crash is used up then. */
  takeCrash(method: string): CrashFault['at'] {
    const crash = this.#crash;
    if (crash === undefined || (crash.method === undefined ? ownMethod.test(method) : crash.method !== method)) return undefined;
    this.#crash = undefined;
    return crash.at;
  }

  /** What becomes of a message of the worker. @param method of the call that it belongs to; undefined if it belongs to none. */
  fateOf(method: string | undefined): 'pass' | 'hold' | 'drop' {
    if (this.#stalled.some((fault) => fault.method === undefined || fault.method === method)) return 'hold';
    if (method === undefined) return 'pass';
    return this.#dropped.some((fault) => (fault.method === undefined ? !ownMethod.test(method) : fault.method === method)) ? 'drop' : 'pass';
  }
}
