import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { IncomingCall } from '../session/incoming-call.js';
import type { PluginContext } from './context.js';
import { handlerError, withoutSecrets } from './handler-error.js';
import type { HostLink } from './host-link.js';
import type { Plugin, PluginOptions } from './plugin.js';
import { SessionContext, UnloadContext } from './session-context.js';

type Phase = 'new' | 'loading' | 'ready' | 'unloading' | 'unloaded';

/** What a plugin says of itself when it is loaded. */
interface LoadAnswer {
  readonly methods: readonly string[];
  readonly streams: readonly string[];
  readonly events: readonly string[];
}

/** The hooks of a plugin, and the order in which they may run: loaded once, first; unloaded once, last. */
export class Lifecycle {
  readonly #plugin: Plugin;
  readonly #link: HostLink;
  #phase: Phase = 'new';

  constructor(plugin: Plugin, link: HostLink) {
    this.#plugin = plugin;
    this.#link = link;
  }

  /** Whether calls may be handled. */
  get ready(): boolean {
    return this.#phase === 'ready';
  }

  /** Answers a call of `plugin.load`, `plugin.unload`, `plugin.install` or `plugin.uninstall`. @returns whether it is one of them. */
  handle(call: IncomingCall): boolean {
    switch (call.method) {
      case 'plugin.load':
        this.#answer(call, () => this.#load(call));
        return true;
      case 'plugin.unload':
        this.#answer(call, () => this.unload(new UnloadContext(this.#link, call)));
        return true;
      case 'plugin.install':
        return this.#hook(call, 'onInstall');
      case 'plugin.uninstall':
        return this.#hook(call, 'onUninstall');
      default:
        return false;
    }
  }

  /** Runs `onUnload` if the plugin is loaded; events are no longer taken afterwards. Rejects with what the hook threw. */
  async unload(context: PluginContext): Promise<void> {
    if (this.#phase !== 'ready') return;
    this.#phase = 'unloading';
    this.#link.subscriptions.close();
    try {
      await this.#plugin.options.onUnload?.(context);
    } finally {
      this.#phase = 'unloaded';
    }
  }

  async #load(call: IncomingCall): Promise<LoadAnswer> {
    if (this.#phase !== 'new')
      throw new WorkerRuntimeError('INVALID_STATE', '"plugin.load" is called once, before anything else.', { mayHaveRun: false });
    this.#phase = 'loading';
    const { options, handlers } = this.#plugin;
    const { subscriptions, session } = this.#link;
    await options.onLoad?.(new SessionContext(this.#link));
    // After onLoad, so that no event meets a plugin that is not ready for it.
    const patterns = Object.entries(options.on ?? {});
    for (const [pattern, handler] of patterns) subscriptions.add(pattern, handler);
    await Promise.all(patterns.map(([pattern]) => session.call('events.subscribe', { pattern }, { parent: call })));
    this.#phase = 'ready';
    const names = [...handlers.values()];
    return {
      methods: names.filter(({ kind }) => kind === 'method').map(({ wireName }) => wireName),
      streams: names.filter(({ kind }) => kind === 'stream').map(({ wireName }) => wireName),
      events: subscriptions.patterns,
    };
  }

  #hook(call: IncomingCall, name: keyof PluginOptions & ('onInstall' | 'onUninstall')): boolean {
    const { options } = this.#plugin;
    if (options[name] === undefined) return false;
    this.#answer(call, async () => options[name]?.(new SessionContext(this.#link)));
    return true;
  }

  #answer(call: IncomingCall, work: () => Promise<unknown>): void {
    work().then(
      (result) => call.respond(result),
      // Errors of this library are kept: an operator must see which capability a failed start lacked.
      (error: unknown) => call.fail(withoutSecrets(isWorkerRuntimeError(error, 'INVALID_STATE') ? error : handlerError(error), this.#link.redactor)),
    );
  }
}
