import type { Logger } from '../interfaces/logger.js';
import type { Clock } from '../interfaces/platform.js';
import { toLoggable, toLoggableText } from '../plugin/loggable.js';
import type { Redactor } from '../plugin/redactor.js';
import { escapeControls, escapeControlsWithin } from './escape-controls.js';
import type { HostNotifications, Notifier } from './notifications.js';

/** Where a plugin's lines go, and how many of them. */
export interface PluginLogOptions {
  readonly pluginId: string;
  readonly clock: Clock;
  readonly notifier: Notifier;
  readonly logger: Logger;
  readonly redactor: Redactor;
  readonly maxLinesPerMinute: number;
}

const minuteMs = 60_000;

/** Counts the lines of a minute. */
class LineBudget {
  readonly #clock: Clock;
  readonly #maxLines: number;
  readonly #onDropped: (dropped: number) => void;
  #minuteBegan: number;
  #lines = 0;

  /** @param onDropped told how many were too many, when the next minute begins. */
  constructor(clock: Clock, maxLines: number, onDropped: (dropped: number) => void) {
    this.#clock = clock;
    this.#maxLines = maxLines;
    this.#onDropped = onDropped;
    this.#minuteBegan = clock.now();
  }

  take(): boolean {
    if (this.#clock.now() - this.#minuteBegan >= minuteMs) this.renew();
    this.#lines += 1;
    return this.#lines <= this.#maxLines;
  }

  renew(): void {
    const dropped = this.#lines - this.#maxLines;
    this.#minuteBegan = this.#clock.now();
    this.#lines = 0;
    if (dropped > 0) this.#onDropped(dropped);
  }
}

/**
 * Writes what a plugin says, and what the host has to say about it, to the host's logger and listeners: without secrets and terminal escapes, cut to
 * size, and at most so many lines a minute of either kind.
 */
export class PluginLog {
  readonly #options: PluginLogOptions;
  readonly #own: LineBudget;
  /** Apart, so that a plugin cannot hide what the host says about it behind a flood. */
  readonly #hosts: LineBudget;

  constructor(options: PluginLogOptions) {
    const { pluginId, clock, logger, maxLinesPerMinute } = options;
    const onDropped = (dropped: number): void =>
      logger.warn(
        { plugin: pluginId, dropped },
        `Lines were dropped: the plugin may write ${maxLinesPerMinute} a minute (limits.maxLogLinesPerMinute).`,
      );
    this.#options = options;
    this.#own = new LineBudget(clock, maxLinesPerMinute, onDropped);
    this.#hosts = new LineBudget(clock, maxLinesPerMinute, onDropped);
  }

  /** Writes a line of the plugin. */
  write(line: Omit<HostNotifications['plugin.log'], 'plugin'>): void {
    if (!this.#own.take()) return;
    const { pluginId, logger, notifier } = this.#options;
    const message = this.clean(line.message);
    const fields = this.#cleanFields(line.fields);
    const method = line.level === 'fatal' ? 'error' : line.level;
    logger[method]({ plugin: pluginId, worker: line.worker, source: line.source, ...(Object.keys(fields).length === 0 ? {} : { fields }) }, message);
    notifier.emit('plugin.log', { ...line, plugin: pluginId, message, fields });
  }

  /** Writes a line of the host about something that the plugin did, which it could do as often as it likes. */
  report(level: 'info' | 'warn' | 'error', fields: Readonly<Record<string, unknown>>, message: string): void {
    if (this.#hosts.take()) this.#options.logger[level]({ plugin: this.#options.pluginId, ...this.#cleanFields(fields) }, message);
  }

  /** One line of text that may come from the plugin, fit for logs and records. */
  clean(text: string): string {
    return escapeControls(toLoggableText(text, this.#options.redactor));
  }

  /** Says how many lines were dropped since the minute began, if any. */
  flush(): void {
    this.#own.renew();
    this.#hosts.renew();
  }

  #cleanFields(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    return escapeControlsWithin(toLoggable(fields, this.#options.redactor).value) as Readonly<Record<string, unknown>>;
  }
}
