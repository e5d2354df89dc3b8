import { setTimeout as sleep } from 'node:timers/promises';
import { describeLaunch } from '../../transports/stdio/describe-launch.js';
import { openWorkerChannel, type WorkerChannel } from '../../transports/stdio/worker-channel.js';
import type { Plugin } from '../plugin/plugin.js';
import { type RunningPlugin, runPlugin } from '../plugin/run-plugin.js';
import { nodePlatform } from './node-platform.js';
import { onServeFault } from './serve-faults.js';

/** How long handlers may take to end when the channel has. */
const handlerEndMs = 1_000;

/** Options of {@link serve}. */
export interface ServeOptions {
  /** On SIGTERM and SIGINT: how long calls in flight may take before the worker leaves. Default 10,000 ms. */
  readonly graceMs?: number;
}

/**
 * Runs a plugin as a worker process (docs/protocol.md, section 12) and ends the process with it; call it last.
 *
 * It takes the channel that the environment names, removes the launch variables from the environment and sends what is printed to standard output
 * to standard error. Then the host's calls are answered until the session ends:
 *
 * - after a goodbye of either side the process exits with 0, after a lost channel or a rejected handshake with 1. Handlers that still run get
 *   one second, their signals aborted;
 * - on SIGTERM or SIGINT the plugin drains, runs `onUnload` and says goodbye; a second signal ends the process at once;
 * - an uncaught exception or unhandled rejection leaves the plugin in an unknown state: it is logged at the host and on standard error, and the process
 *   exits with 1;
 * - without a channel it prints what the program is and how to run it, and exits with 2.
 */
export async function serve(plugin: Plugin, { graceMs = 10_000 }: ServeOptions = {}): Promise<never> {
  const channel = takeChannel();
  let running: RunningPlugin | undefined;
  let leaving = false;
  onServeFault(() => running);
  const leave = (): void => {
    if (running === undefined || leaving) process.exit(1);
    leaving = true;
    void running.stop({ graceMs, reason: 'The worker was asked to end by a signal.' });
  };
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);
  try {
    running = await runPlugin(plugin, {
      connection: channel.connection,
      platform: nodePlatform(),
      pluginId: channel.plugin?.id,
      pluginVersion: channel.plugin?.version,
      token: channel.token,
    });
  } catch (error) {
    print(`The worker could not start: ${error instanceof Error ? error.message : String(error)}`);
    return process.exit(1);
  }
  const end = await running.ended;
  await Promise.race([running.finished, sleep(handlerEndMs)]);
  if (!running.saidGoodbye) print(`The worker ends because its channel has: ${end.message}`);
  return process.exit(running.saidGoodbye ? 0 : 1);
}

function takeChannel(): WorkerChannel {
  let channel: WorkerChannel | undefined;
  try {
    channel = openWorkerChannel();
  } catch (error) {
    print(error instanceof Error ? error.message : String(error));
    return process.exit(2);
  }
  if (channel !== undefined) return channel;
  print(describeLaunch());
  return process.exit(2);
}

function print(text: string): void {
  process.stderr.write(`${text.trimEnd()}\n`);
}
