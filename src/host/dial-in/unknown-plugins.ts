import { nearest } from '../../errors/nearest.js';
import type { Logger } from '../../interfaces/logger.js';
import { printable } from './refused-peers.js';
import type { IssueTokenOptions } from './tokens.js';

/** What is installed. */
export interface InstalledPlugins {
  /** The installed version of a plugin; undefined if there is none. */
  find(pluginId: string): unknown;
  /** Ids of the installed plugins, to suggest one that was meant. */
  installedIds(): Iterable<string>;
}

/**
 * Logs a warning for each plugin of a token that is not installed. A token may be there before its plugin; more often the name is misspelt, which nobody
 * would see before the first worker is refused. One whose workers may bring their manifest is expected to be unknown.
 */
export function warnOfUnknownPlugins(options: IssueTokenOptions, installed: InstalledPlugins, logger: Logger): void {
  if (options.role !== 'controller' && options.install !== undefined) return;
  for (const pluginId of options.role === 'controller' ? options.plugins : [options.plugin]) {
    if (installed.find(pluginId) !== undefined) continue;
    const meant = nearest(pluginId, installed.installedIds());
    const hint = meant === undefined ? 'install it before the token is used.' : `was "${meant}" meant?`;
    logger.warn({ pluginId: printable(pluginId) }, `A token was issued for "${printable(pluginId)}", which is not installed: ${hint}`);
  }
}
