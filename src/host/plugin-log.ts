import type { Logger } from '../interfaces/logger.js';
import type { HostNotifications, Notifier } from './notifications.js';
import { redactValue } from './redact.js';

/** Where a plugin's lines go. */
export interface PluginLogTarget {
  readonly notifier: Notifier;
  readonly logger: Logger;
  readonly redact: (text: string) => string;
}

const controlCharacters = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Makes a line harmless for a terminal and a log file: no line breaks, no escapes. */
export function escapeControls(text: string): string {
  return text.replace(controlCharacters, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Writes what a plugin said to the host's logger and listeners, without secrets and without terminal escapes. */
export function logPluginLine({ notifier, logger, redact }: PluginLogTarget, line: HostNotifications['plugin.log']): void {
  const message = escapeControls(redact(line.message));
  const fields = redactValue(line.fields, redact) as Readonly<Record<string, unknown>>;
  const method = line.level === 'fatal' ? 'error' : line.level;
  logger[method]({ plugin: line.plugin, worker: line.worker, source: line.source, ...(Object.keys(fields).length === 0 ? {} : { fields }) }, message);
  notifier.emit('plugin.log', { ...line, message, fields });
}
