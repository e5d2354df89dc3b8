import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { ContractStream } from '../plugin/contract-types.js';
import { withoutSecrets } from '../plugin/handler-error.js';
import type { Redactor } from '../plugin/redactor.js';
import type { CallLink, ServiceCall } from '../services/define-service.js';
import type { NestedCallOptions, SessionCallOptions } from '../session/call-options.js';
import type { Worker } from '../worker/worker.js';
import { SettledCalls } from './settled-calls.js';

/** How a plugin is called. */
export interface CallOptions extends Omit<SessionCallOptions, 'actingFor'> {
  /**
   * The call of a plugin in the course of which this one is made, as a service's handler or `routeMessage` gets it: this call is nested in it, has no
   * more time, is cancelled with it, and a cycle is found (`CALL_CYCLE`).
   */
  readonly within?: ServiceCall | undefined;
}

/** What the calls of a plugin are made with. */
export interface PluginCallsOptions {
  readonly pluginId: string;
  readonly maxConcurrency: number;
  readonly handlerTimeoutMs: number;
  readonly redactor: Redactor;
  /** The worker that takes calls now. @throws WORKER_UNAVAILABLE, … */
  readyWorker(): Worker;
}

/** Makes the calls of a plugin's callers, whichever worker there is. */
export class PluginCalls {
  readonly #options: PluginCallsOptions;
  readonly #settled = new SettledCalls();

  constructor(options: PluginCallsOptions) {
    this.#options = options;
  }

  /** Rejects, never throws. @param caller whose idempotency keys are not those of others; a controller's name, or empty for the embedder. */
  call(method: string, params: unknown, options: CallOptions, caller = ''): Promise<unknown> {
    try {
      const made = this.#nest(method, options, options.timeoutMs ?? this.#options.handlerTimeoutMs);
      if (options.idempotencyKey === undefined) return this.#clean(this.#free().session.call(method, params, made));
      // Asked first: what a worker that is gone has answered is not the next one's answer.
      this.#options.readyWorker();
      const key = JSON.stringify([method, options.idempotencyKey, caller]);
      return this.#settled.once(key, () => this.#clean(this.#free().session.call(method, params, made)), options.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @throws what a call would reject with before anything was sent. */
  stream(method: string, params: unknown, options: CallOptions): ContractStream {
    const stream = this.#free().session.stream(method, params, this.#nest(method, options, options.timeoutMs));
    return this.#options.redactor.active ? new CleanStream(stream, this.#options.redactor) : stream;
  }

  /** A new worker knows nothing of the calls of the last. */
  forget(): void {
    this.#settled.clear();
  }

  #free(): Worker {
    const { pluginId, maxConcurrency } = this.#options;
    const worker = this.#options.readyWorker();
    if (worker.session.callsInFlight < maxConcurrency) return worker;
    throw new WorkerRuntimeError(
      'OVERLOADED',
      `"${pluginId}" has ${maxConcurrency} calls in flight, which is its limit (limits.maxConcurrency); try again later.`,
      { mayHaveRun: false },
    );
  }

  /** @throws CALL_CYCLE */
  #nest(method: string, options: SessionCallOptions & Pick<CallOptions, 'within'>, timeoutMs: number | undefined): NestedCallOptions {
    const { within } = options;
    const link: CallLink = { pluginId: this.#options.pluginId, method };
    if (within === undefined) return shaped(options, timeoutMs, options.traceparent, [link], undefined);
    const { chain, request, traceparent } = within;
    if (chain.some((outer) => outer.pluginId === link.pluginId && outer.method === link.method)) {
      const names = [...chain, link].map((each) => `${each.pluginId}:${each.method}`);
      throw new WorkerRuntimeError('CALL_CYCLE', `The call would wait for itself: ${names.join(' → ')}.`, { mayHaveRun: false });
    }
    return shaped(options, timeoutMs, options.traceparent ?? traceparent, [...chain, link], request);
  }

  /** An error's words are the plugin's, which need not have kept its secrets. */
  #clean(answer: Promise<unknown>): Promise<unknown> {
    const { redactor } = this.#options;
    if (!redactor.active) return answer;
    return answer.catch((error: unknown) => Promise.reject(withoutSecrets(error, redactor)));
  }
}

/** The options of a session's call, always with the same fields in the same order: what reads them on the way of every call stays fast. */
function shaped(
  { idleTimeoutMs, signal, onProgress, idempotencyKey, actingFor, transfer, input }: SessionCallOptions,
  timeoutMs: number | undefined,
  traceparent: string | undefined,
  tag: readonly CallLink[],
  parent: NestedCallOptions['parent'],
): NestedCallOptions {
  return { timeoutMs, idleTimeoutMs, signal, onProgress, idempotencyKey, actingFor, traceparent, transfer, input, tag, parent };
}

/** A stream whose errors tell no secrets. */
class CleanStream implements ContractStream {
  readonly result: Promise<unknown>;
  readonly #stream: ContractStream;
  readonly #redactor: Redactor;

  constructor(stream: ContractStream, redactor: Redactor) {
    this.#stream = stream;
    this.#redactor = redactor;
    this.result = this.#clean(stream.result);
    this.result.catch(() => {});
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<unknown> {
    const items = this.#stream[Symbol.asyncIterator]();
    const clean: AsyncIterableIterator<unknown> = {
      next: () => this.#clean(items.next()),
      return: (value) => items.return?.(value) ?? Promise.resolve({ done: true, value }),
      [Symbol.asyncIterator]: () => clean,
    };
    return clean;
  }

  cancel(reason?: string): void {
    this.#stream.cancel(reason);
  }

  #clean<T>(work: Promise<T>): Promise<T> {
    return work.catch((error: unknown) => Promise.reject(withoutSecrets(error, this.#redactor)));
  }
}
