import { setTimeout as sleep } from 'node:timers/promises';
import { describeLaunch } from '../../transports/stdio/describe-launch.js';
import { readToken, takeLaunchVariables } from '../../transports/stdio/launch-variables.js';
import { openWorkerChannel, type WorkerChannel } from '../../transports/stdio/worker-channel.js';
import { openThreadChannel } from '../../transports/thread/thread-channel.js';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { dialPlugin } from '../plugin/dial-plugin.js';
import type { Plugin } from '../plugin/plugin.js';
import type { RedialOptions } from '../plugin/redial-delay.js';
import { runPlugin } from '../plugin/run-plugin.js';
import type { RunningPlugin } from '../plugin/running-plugin.js';
import { channelDialler, isDialled } from './channel-dialler.js';
import { nodePlatform } from './node-platform.js';
import { onServeFault } from './serve-faults.js';

/** How long handlers may take to end when the channel has. */
const handlerEndMs = 1_000;

/** Options of {@link serve}. */
export interface ServeOptions {
  /** On SIGTERM and SIGINT: how long calls in flight may take before the worker leaves. Default 10,000 ms. */
  readonly graceMs?: number;
  /** Where the host listens, for a worker that dials in: `unix:/PATH` or `wss://HOST[:PORT]/PATH`. Default: what `SYNAPSE_WORKER_CHANNEL` says. */
  readonly channel?: string;
  /** The file with the registration token of a worker that dials in. Default: what `SYNAPSE_WORKER_TOKEN_FD` or `SYNAPSE_WORKER_TOKEN_FILE` says. */
  readonly tokenFile?: string;
  /** The plugin's manifest, for a worker that dials in. Default: what `SYNAPSE_WORKER_MANIFEST` says, else `manifest.yml` (`.yaml`, `.json`) beside the program. */
  readonly manifest?: string | URL;
  /** Whether a worker that dials in brings its manifest, for a host that has not installed the plugin, instead of naming it by digest. Default false. */
  readonly bringManifest?: boolean;
  /** How a worker that dialled in looks for a host that it has lost. */
  readonly redial?: RedialOptions;
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
 * - where the channel is an address (`unix:`, `wss:`) the worker dials in, and dials again when the connection is lost: see `dialPlugin`;
 * - without a channel it prints what the program is and how to run it, and exits with 2.
 */
export async function serve(plugin: Plugin, options: ServeOptions = {}): Promise<never> {
  const { graceMs = 10_000 } = options;
  const run = prepare(plugin, options);
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
    running = await run();
  } catch (error) {
    print(`The worker could not start: ${describe(error)}`);
    return process.exit(1);
  }
  const end = await running.ended;
  await Promise.race([running.finished, sleep(handlerEndMs)]);
  const inOrder = running.saidGoodbye || leaving;
  if (!inOrder) print(`The worker ends because its channel has: ${end.message}`);
  return process.exit(inOrder ? 0 : 1);
}

/** Takes the channel before any code of the plugin runs. @returns what begins the session. */
function prepare(plugin: Plugin, options: ServeOptions): () => Promise<RunningPlugin> {
  const address = options.channel ?? process.env.SYNAPSE_WORKER_CHANNEL ?? '';
  if (isDialled(address)) return prepareDial(plugin, address, options);
  const { connection, plugin: launched, token } = takeChannel();
  return () => runPlugin(plugin, { connection, platform: nodePlatform(), pluginId: launched?.id, pluginVersion: launched?.version, token });
}

function prepareDial(
  plugin: Plugin,
  address: string,
  { tokenFile, manifest, bringManifest = false, redial }: ServeOptions,
): () => Promise<RunningPlugin> {
  const { TOKEN_FD, TOKEN_FILE } = takeLaunchVariables();
  return async () => {
    const dial = channelDialler(address);
    const token = tokenFile === undefined ? readToken(TOKEN_FD, TOKEN_FILE) : readToken(undefined, tokenFile);
    if (token === undefined) {
      throw new WorkerRuntimeError(
        'INVALID_ARGUMENT',
        'A worker that dials in needs a registration token: have the host issue one (host.issueToken), and name its file by SYNAPSE_WORKER_TOKEN_FILE.',
      );
    }
    const { readOwnManifest } = await import('./own-manifest.js');
    const { id, version, digest, text } = await readOwnManifest(manifest);
    return dialPlugin(plugin, {
      dial,
      platform: nodePlatform(),
      pluginId: id,
      pluginVersion: version,
      token,
      ...(bringManifest ? { manifest: text } : { manifestDigest: digest }),
      ...(redial === undefined ? {} : { redial }),
      onRetry: (error, delayMs) => print(`${notYet(printable(address), error)}; next attempt in ${Math.round(delayMs)} ms.`),
    });
  };
}

function takeChannel(): WorkerChannel {
  let channel: WorkerChannel | undefined;
  try {
    channel = openThreadChannel() ?? openWorkerChannel();
  } catch (error) {
    print(error instanceof Error ? error.message : String(error));
    return process.exit(2);
  }
  if (channel !== undefined) return channel;
  print(describeLaunch());
  return process.exit(2);
}

/** Without what may be a secret: user, password and query. */
function printable(address: string): string {
  return address.replace(/\/\/[^/@]*@/, '//').replace(/[?#].*$/, '');
}

function notYet(address: string, error: Error): string {
  const reached = isWorkerRuntimeError(error) && error.code !== 'CONNECTION_LOST' && error.code !== 'HANDSHAKE_TIMEOUT';
  return reached
    ? `The host at ${address} does not take this worker yet (${error.message})`
    : `The host at ${address} was not reached (${error.message})`;
}

function describe(error: unknown): string {
  if (!isWorkerRuntimeError(error)) return error instanceof Error ? error.message : String(error);
  const repair = error.code === 'UNAUTHENTICATED' ? ' Ask the operator for a new token, and check that the host has this very manifest.' : '';
  return `${error.message}${repair} (${error.code})`;
}

function print(text: string): void {
  process.stderr.write(`${text.trimEnd()}\n`);
}
