import { nearest } from '../errors/nearest.js';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { IncomingCall } from '../session/incoming-call.js';
import { CallContext } from './call-context.js';
import { handlerError, withoutSecrets } from './handler-error.js';
import type { HostLink } from './host-link.js';
import type { Plugin, RegisteredHandler } from './plugin.js';
import { runStream } from './run-stream.js';
import { validate } from './validate.js';

/**
 * Hands the host's calls to the author's handlers and answers them. Handlers that run are counted and limited, not calls that wait for an
 * answer: one that ignores its cancellation goes on and keeps its place.
 */
export class CallDispatcher {
  readonly #plugin: Plugin;
  readonly #link: HostLink;
  readonly #limit: number;
  #running = 0;
  #idleWaiters: (() => void)[] = [];

  constructor(plugin: Plugin, link: HostLink, maxConcurrency: number) {
    this.#plugin = plugin;
    this.#link = link;
    this.#limit = Math.max(1, Math.min(maxConcurrency, plugin.options.concurrency ?? Number.POSITIVE_INFINITY));
  }

  /** Handlers that have not returned. */
  get running(): number {
    return this.#running;
  }

  /** Resolves when no handler runs. */
  idle(): Promise<void> {
    return this.#running === 0 ? Promise.resolve() : new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Answers a call. Never throws. @param ready whether the plugin has been loaded and not unloaded. */
  dispatch(call: IncomingCall, ready: boolean): void {
    const handler = this.#plugin.handlers.get(call.method);
    if (handler === undefined) return call.fail(this.#notFound(call.method));
    if (!ready)
      return call.fail(refusal('INVALID_STATE', `"${call.method}" was not called: the plugin is not loaded; the host calls "plugin.load" first.`));
    if (call.expectsItems !== (handler.kind === 'stream')) return call.fail(wrongKind(call));
    if (this.#running >= this.#limit) {
      return call.fail(refusal('OVERLOADED', `The plugin runs ${this.#limit} handlers already, which is its limit; try again later.`));
    }
    this.#running += 1;
    const { params } = handler;
    if (params === undefined) return this.#start(handler, call, call.params);
    let checked: unknown;
    try {
      checked = validate(params, call.params, handler.ofParams);
    } catch (error) {
      return this.#refuse(call, error);
    }
    if (checked instanceof Promise) {
      checked.then(
        (value) => (call.cancelled ? this.#finished() : this.#start(handler, call, value)),
        (error) => this.#refuse(call, error),
      );
    } else this.#start(handler, call, checked);
  }

  #start(handler: RegisteredHandler, call: IncomingCall, params: unknown): void {
    const context = new CallContext(this.#link, call, handler);
    const explain = (error: unknown): unknown => {
      // An input item that does not fit the contract is the caller's fault, whichever way it comes to light.
      if (error !== undefined && error === context.refusedInput) return error;
      // Where it was thrown is known only here, and what a cancelled handler throws is no news.
      if (!isWorkerRuntimeError(error) && !call.cancelled) {
        this.#link.logWriter.log.error({ err: error, method: call.method }, `The handler of "${call.method}" failed.`);
      }
      return handlerError(error);
    };
    const failed = (error: unknown): void => this.#refuse(call, explain(error));
    let outcome: unknown;
    try {
      outcome = handler.run(params, context);
    } catch (error) {
      return failed(error);
    }
    if (handler.kind === 'stream') {
      runStream(handler, call, outcome, { log: this.#link.logWriter.log, clock: this.#link.clock, explain }).then(
        (result) => this.#succeed(handler, call, result),
        (error) => this.#refuse(call, error),
      );
    } else if (isThenable(outcome)) {
      outcome.then((result) => this.#succeed(handler, call, result), failed);
    } else this.#succeed(handler, call, outcome);
  }

  #succeed(handler: RegisteredHandler, call: IncomingCall, result: unknown): void {
    const schema = handler.result;
    // Nobody waits for the result of a call that was cancelled.
    if (schema === undefined || call.answered) {
      call.respond(result);
      return this.#finished();
    }
    try {
      const checked = validate(schema, result, handler.ofResult);
      if (checked instanceof Promise) {
        checked.then(
          () => {
            call.respond(result);
            this.#finished();
          },
          (error) => this.#refuse(call, error),
        );
        return;
      }
    } catch (error) {
      return this.#refuse(call, error);
    }
    // The result as the handler gave it: the caller's side transforms, as it does for a plugin in any language.
    call.respond(result);
    this.#finished();
  }

  #refuse(call: IncomingCall, error: unknown): void {
    call.fail(withoutSecrets(error, this.#link.redactor));
    this.#finished();
  }

  #finished(): void {
    this.#running -= 1;
    if (this.#running > 0 || this.#idleWaiters.length === 0) return;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }

  #notFound(method: string): WorkerRuntimeError {
    const meant = nearest(method, this.#plugin.handlers.keys());
    const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
    return refusal('METHOD_NOT_FOUND', `The plugin "${this.#link.plugin.id}" has no method "${method.slice(0, 256)}"${hint}`);
  }
}

function wrongKind(call: IncomingCall): WorkerRuntimeError {
  return call.expectsItems
    ? refusal('INVALID_ARGUMENT', `"${call.method}" is a method, not a stream: call it instead of streaming it.`)
    : refusal('INVALID_ARGUMENT', `"${call.method}" is a stream: start it as one instead of calling it.`);
}

function refusal(code: 'METHOD_NOT_FOUND' | 'INVALID_STATE' | 'INVALID_ARGUMENT' | 'OVERLOADED', message: string): WorkerRuntimeError {
  return new WorkerRuntimeError(code, message, { mayHaveRun: false });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
