import type { WireGrant } from '../messages/message.js';
import type { NestedCallOptions } from '../session/call-options.js';
import type { IncomingCall } from '../session/incoming-call.js';
import type { PluginAgents, PluginContext, PluginEvents, PluginLog, PluginStorage } from './context.js';
import type { HostLink } from './host-link.js';
import { type CallHost, hostAgents, hostEvents, hostStorage } from './host-services.js';
import type { PluginConfig } from './plugin-config.js';

/**
 * The context of hooks and event handlers. Everything is made when it is asked for, since a handler's context is made for each call; and
 * functions are made as they are taken, so that they can be taken out of the context.
 */
export class SessionContext implements PluginContext {
  protected readonly link: HostLink;

  constructor(link: HostLink) {
    this.link = link;
  }

  /** The call that calls to the host are nested in. */
  protected get parent(): IncomingCall | undefined {
    return undefined;
  }

  get config(): PluginConfig {
    return this.link.config;
  }
  get log(): PluginLog {
    return this.link.logWriter.log;
  }
  get events(): PluginEvents {
    return hostEvents(this.#callHost, this.link.subscriptions);
  }
  get storage(): PluginStorage {
    return hostStorage(this.#callHost);
  }
  get agents(): PluginAgents {
    return hostAgents(this.#callHost);
  }
  get routeMessage(): PluginAgents['message'] {
    return this.agents.message;
  }
  get grants(): readonly WireGrant[] {
    return this.link.grants;
  }
  get hasGrant(): PluginContext['hasGrant'] {
    return (capability) => this.link.hasGrant(capability);
  }
  get draining(): boolean {
    return this.link.draining;
  }
  get signal(): AbortSignal {
    return this.link.signal;
  }
  get health(): PluginContext['health'] {
    return async (status, message) => {
      await this.#callHost('health.report', message === undefined ? { status } : { status, message });
    };
  }
  get call(): PluginContext['call'] {
    return (method, params, options) => this.link.session.call(method, params, this.#nested(options));
  }
  get stream(): PluginContext['stream'] {
    return (method, params, options) => this.link.session.stream(method, params, this.#nested(options));
  }
  get plugin(): PluginContext['plugin'] {
    return this.link.plugin;
  }
  get generation(): number {
    return this.link.generation;
  }

  get #callHost(): CallHost {
    return (method, params) => this.link.session.call(method, params, this.#nested(undefined));
  }

  #nested(options: NestedCallOptions | undefined): NestedCallOptions {
    const { parent } = this;
    return parent === undefined ? (options ?? {}) : { ...options, parent, traceparent: options?.traceparent ?? parent.traceparent };
  }
}

/**
 * The context of `onUnload`. The host is draining by then and takes nested calls only; these are nested in `plugin.unload` as long as that lasts.
 */
export class UnloadContext extends SessionContext {
  readonly #call: IncomingCall;

  constructor(link: HostLink, call: IncomingCall) {
    super(link);
    this.#call = call;
  }

  protected override get parent(): IncomingCall | undefined {
    return this.#call.answered || this.#call.cancelled ? undefined : this.#call;
  }
}
