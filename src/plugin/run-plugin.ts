import type { Platform } from '../interfaces/platform.js';
import type { Connection } from '../interfaces/transport.js';
import type { ValueCodec } from '../messages/codec.js';
import { strictCodec } from '../messages/strict-codec/strict-codec.js';
import { createHello, openRun, type WorkerIdentification } from './open-run.js';
import type { Plugin } from './plugin.js';
import type { RunningPlugin } from './running-plugin.js';

export type { RunningPlugin, StopOptions } from './running-plugin.js';

/** How a plugin is run. */
export interface RunPluginOptions extends WorkerIdentification {
  /** The way to the host, not started yet. */
  readonly connection: Connection;
  /** Clock, random numbers and hashes. */
  readonly platform: Platform;
  /** Default: `strictCodec()`. */
  readonly codec?: ValueCodec | undefined;
}

/**
 * Runs a plugin over a connection: shakes hands, then answers the host's calls until the session ends. `serve` of the Node entry does this with the
 * channel of the process. A connection that is lost ends it; `dialPlugin` finds the host again.
 *
 * Rejects with HANDSHAKE_TIMEOUT, CONNECTION_LOST, PROTOCOL_ERROR or the code of the host's reject; the connection is closed then.
 */
export async function runPlugin(plugin: Plugin, options: RunPluginOptions): Promise<RunningPlugin> {
  const { connection, platform, codec = strictCodec() } = options;
  const hello = createHello(options, []);
  const { run } = await openRun(plugin, { connection, clock: platform.clock, codec, hello });
  return run;
}
