import type { Clock } from '../interfaces/platform.js';
import type { WelcomeFields, WireGrant } from '../messages/message.js';
import type { Session } from '../session/session.js';
import { EventSubscriptions, type EventSubscriptionsOptions } from './event-subscriptions.js';
import { LogWriter } from './log-writer.js';
import { PluginConfig } from './plugin-config.js';
import { Redactor } from './redactor.js';

/** What all contexts of a running plugin share: the session with the host and what the host has said on it. */
export class HostLink {
  readonly session: Session;
  readonly clock: Clock;
  readonly config: PluginConfig;
  readonly redactor: Redactor;
  readonly logWriter: LogWriter;
  readonly subscriptions: EventSubscriptions;
  readonly plugin: { readonly id: string; readonly version: string };
  readonly generation: number;
  /** What the plugin was granted, as the host said last. */
  grants: readonly WireGrant[];
  /** Whether the plugin itself wants to go. */
  leaving = false;
  #controller: AbortController | undefined;
  #ended = false;

  constructor(session: Session, clock: Clock, welcome: WelcomeFields, context: EventSubscriptionsOptions['context']) {
    this.session = session;
    this.clock = clock;
    this.config = new PluginConfig(Object.freeze({ ...welcome.config }));
    this.redactor = new Redactor(welcome.config, welcome.secretConfigKeys);
    this.logWriter = new LogWriter({ clock, redactor: this.redactor, notify: (params) => session.notify('log.write', params) });
    this.subscriptions = new EventSubscriptions({ log: this.logWriter.log, context });
    this.plugin = Object.freeze({ ...welcome.plugin });
    this.generation = welcome.generation;
    this.grants = Object.freeze([...welcome.grants]);
  }

  get draining(): boolean {
    return this.leaving || this.session.peerDraining;
  }

  /** Aborted when the session ends. Made on first use. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ended) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  hasGrant(capability: string): boolean {
    return this.grants.some((grant) => grant.capability === capability && !this.#isOver(grant.expiresAt));
  }

  /** Takes the params of `grants.changed`. What is not a list of grants changes nothing. */
  changeGrants(params: unknown): void {
    const grants: unknown = typeof params === 'object' && params !== null ? (params as { grants?: unknown }).grants : undefined;
    if (!Array.isArray(grants)) return;
    this.grants = Object.freeze(
      grants.filter((grant: unknown): grant is WireGrant => typeof (grant as Partial<WireGrant> | null)?.capability === 'string'),
    );
  }

  /** The session is over. */
  end(reason: unknown): void {
    this.#ended = true;
    this.logWriter.close();
    this.subscriptions.close();
    this.#controller?.abort(reason);
  }

  #isOver(expiresAt: string | undefined): boolean {
    return typeof expiresAt === 'string' && !(Date.parse(expiresAt) > this.clock.wallTime());
  }
}
