import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { defaultFrameLimits } from '../frames/limits.js';
import type { Clock } from '../interfaces/platform.js';
import type { Connection } from '../interfaces/transport.js';
import type { ValueCodec } from '../messages/codec.js';
import type { HelloFields, WelcomeFields } from '../messages/message.js';
import { noReceiver, performHandshake, protocolVersions } from '../session/handshake.js';
import { MessageConnection } from '../session/message-connection.js';
import type { Plugin } from './plugin.js';
import { PluginRun } from './plugin-run.js';
import { sdkIdentity } from './sdk-identity.js';

/** Bytes that may wait for a host that does not read, before the session is given up. */
const maxQueuedBytes = 64 * 1024 * 1024;

/** Who a plugin says that it is. */
export interface WorkerIdentification {
  /** Who to say that the plugin is; the host compares. Required where the plugin dials in. */
  readonly pluginId?: string | undefined;
  /** Which version it is. Goes with `pluginId`. */
  readonly pluginVersion?: string | undefined;
  /** The registration token, where the host wants one. */
  readonly token?: string | undefined;
  /** SHA-256 of the manifest file's raw bytes, 64 lower-case hex digits; for plugins that dial in. */
  readonly manifestDigest?: string | undefined;
  /** The manifest itself (YAML or JSON, at most 65,536 bytes), for a host that has not installed the plugin and takes it from the worker. */
  readonly manifest?: string | undefined;
}

/** The hello of a plugin. @throws INVALID_ARGUMENT for an id without a version. */
export function createHello(who: WorkerIdentification, features: readonly string[]): HelloFields {
  const { pluginId, pluginVersion, token, manifestDigest, manifest } = who;
  if (pluginId !== undefined && pluginVersion === undefined)
    throw new WorkerRuntimeError('INVALID_ARGUMENT', 'pluginId needs a pluginVersion beside it.');
  return {
    versions: protocolVersions,
    role: 'worker',
    ...(pluginId === undefined || pluginVersion === undefined ? {} : { plugin: { id: pluginId, version: pluginVersion } }),
    ...(manifestDigest === undefined ? {} : { manifestDigest }),
    ...(manifest === undefined ? {} : { manifest }),
    sdk: sdkIdentity,
    features,
    requiredFeatures: [],
    ...(token === undefined ? {} : { token }),
  };
}

/** A run of a plugin, and what the host said of it. */
export interface OpenedRun {
  readonly run: PluginRun;
  readonly welcome: WelcomeFields;
}

/**
 * Shakes hands over a connection and runs the plugin on it. Rejects with HANDSHAKE_TIMEOUT, CONNECTION_LOST, PROTOCOL_ERROR or the code of the host's
 * reject; the connection is closed then.
 */
export async function openRun(
  plugin: Plugin,
  options: {
    readonly connection: Connection;
    readonly clock: Clock;
    readonly codec: ValueCodec;
    readonly hello: HelloFields;
    readonly helloSent?: boolean;
  },
): Promise<OpenedRun> {
  const { connection, clock, codec, hello, helloSent = false } = options;
  const messages = new MessageConnection({ connection, clock, codec, limits: defaultFrameLimits, maxQueuedBytes }, noReceiver);
  let opened: OpenedRun | undefined;
  await performHandshake({
    connection: messages,
    clock,
    hello,
    helloSent,
    establish(_hello, welcome) {
      opened = { run: new PluginRun(plugin, messages, clock, welcome), welcome };
      return opened.run.session;
    },
  });
  if (opened === undefined) throw new WorkerRuntimeError('INTERNAL_ERROR', 'The handshake ended without a session.');
  return opened;
}
