import { WorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import type { Clock } from '../../interfaces/platform.js';
import type { IncomingCall } from '../../session/incoming-call.js';
import type { Audit } from '../audit.js';
import type { PluginVersion } from '../install-plugin.js';
import type { CallOptions } from '../plugin-calls.js';

/** What the calls of one controller are judged and made by. */
export interface ControllerCallsOptions {
  /** Who it is, for records. */
  readonly name: string;
  /** Ids of the plugins that it may reach. */
  readonly plugins: ReadonlySet<string>;
  readonly clock: Clock;
  readonly audit: Audit;
  /** The installed version of a plugin. */
  find(pluginId: string): PluginVersion | undefined;
  /** It wanted something that it may not have. */
  onRefused(reason: string): void;
}

/** Methods that the runtime itself calls at a plugin (docs/protocol.md, section 11): whoever called them could unload it. */
const reservedMethods = /^(plugin|events|grants)\./;

/** The most that a timer can wait, 24 days; the protocol allows 2^53. */
const maxTimeoutMs = 2 ** 31 - 1;

interface Target {
  readonly version: PluginVersion;
  readonly method: string;
  readonly params: unknown;
}

/** Answers what a controller asks (docs/protocol.md, section 13.1). */
export class ControllerCalls {
  readonly #options: ControllerCallsOptions;

  constructor(options: ControllerCallsOptions) {
    this.#options = options;
  }

  /** Answers a call. Never throws. */
  handle(call: IncomingCall): void {
    this.#answer(call).then(
      (result) => call.respond(result),
      (error: unknown) => call.fail(error),
    );
  }

  async #answer(call: IncomingCall): Promise<unknown> {
    if (call.actingFor !== undefined) throw new WorkerRuntimeError('INVALID_ARGUMENT', 'This host does not let a controller act for a plugin.');
    switch (call.method) {
      case 'plugins.list':
        return { plugins: this.#list() };
      case 'plugins.call': {
        if (call.sendsItems || call.expectsItems)
          throw new WorkerRuntimeError('INVALID_ARGUMENT', '"plugins.call" calls a method; for a stream there is "plugins.stream".');
        const { version, method, params } = this.#target(call);
        return version.supervisor.calls.call(method, params, this.#optionsOf(call), this.#options.name);
      }
      case 'plugins.stream':
        return this.#stream(call);
      default:
        throw new WorkerRuntimeError('METHOD_NOT_FOUND', 'A controller can call plugins.list, plugins.call and plugins.stream.');
    }
  }

  #list(): readonly unknown[] {
    return [...this.#options.plugins].flatMap((id) => {
      const supervisor = this.#options.find(id)?.supervisor;
      if (supervisor === undefined) return [];
      const { state, reason, manifest } = supervisor;
      // What a worker wrote to standard error is not for whoever may call it.
      const known =
        reason === undefined ? {} : { reason: { code: reason.code, message: reason.message, since: reason.since, action: reason.action } };
      return [{ id, version: manifest.version, state, ...known }];
    });
  }

  async #stream(call: IncomingCall): Promise<unknown> {
    const { version, method, params } = this.#target(call);
    const { calls } = version.supervisor;
    const options = { ...this.#optionsOf(call), ...(call.sendsItems ? { input: call.items } : {}) };
    if (!call.expectsItems) return calls.call(method, params, options, this.#options.name);
    const stream = calls.stream(method, params, options);
    // Items that wait for the controller hold up the worker: nothing is gathered here.
    for await (const item of stream) await call.sendItem(item);
    return stream.result;
  }

  /** @throws INVALID_PARAMS, PLUGIN_NOT_FOUND, METHOD_NOT_FOUND */
  #target(call: IncomingCall): Target {
    const { plugins, find, onRefused, audit, name } = this.#options;
    const { plugin, method, params } = (typeof call.params === 'object' && call.params !== null ? call.params : {}) as Record<string, unknown>;
    if (typeof plugin !== 'string' || typeof method !== 'string')
      throw new WorkerRuntimeError('INVALID_PARAMS', `The params of "${call.method}" are { plugin, method, params? }; the first two are texts.`);
    const version = plugins.has(plugin) ? find(plugin) : undefined;
    if (version === undefined) {
      // The same sentence for both, so that nobody learns what is installed by asking.
      if (!plugins.has(plugin)) onRefused(`It wanted to call "${plugin.slice(0, 128)}", which its token does not name.`);
      throw new WorkerRuntimeError('PLUGIN_NOT_FOUND', `No plugin "${plugin.slice(0, 128)}" that this controller may reach is installed.`);
    }
    if (reservedMethods.test(method)) {
      onRefused(`It wanted to call "${method.slice(0, 128)}" of "${version.id}", which is reserved for the host.`);
      throw new WorkerRuntimeError('METHOD_NOT_FOUND', `"${method.slice(0, 128)}" is reserved for the host; a controller cannot call it.`);
    }
    audit.countAllowed(version.id, method.slice(0, 256), name);
    return { version, method, params };
  }

  /**
   * What the controller said about its call holds for the plugin's. Without a time limit the plugin's own default holds; one beyond what a timer can
   * wait is cut to that.
   */
  #optionsOf(call: IncomingCall): CallOptions {
    const left = call.deadlineAt - this.#options.clock.now();
    return {
      ...(call.deadlineAt === Number.POSITIVE_INFINITY ? {} : { timeoutMs: Math.min(maxTimeoutMs, Math.max(1, Math.floor(left))) }),
      signal: call.signal,
      onProgress: ({ fraction, message, data }) => call.progress(fraction, message, data),
      idempotencyKey: call.idempotencyKey,
      traceparent: call.traceparent,
    };
  }
}
