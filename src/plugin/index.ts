/**
 * The plugin author's entry, for any runtime.
 *
 * @packageDocumentation
 */
export {
  type ErrorCode,
  errorCodes,
  isWorkerRuntimeError,
  PluginError,
  type Reason,
  type ReasonCode,
  reasonCodes,
  WorkerRuntimeError,
  type WorkerRuntimeErrorOptions,
} from '../errors/index.js';
export type { FrameLimits } from '../frames/limits.js';
export type {
  Clock,
  CloseReason,
  Connection,
  ConnectionHandlers,
  ConnectionPeer,
  Crypto,
  LogFunction,
  Logger,
  Platform,
  Random,
  Timer,
} from '../interfaces/index.js';
export type { ValueCodec } from '../messages/codec.js';
export type { WireGrant } from '../messages/message.js';
export type { Progress, SessionCallOptions } from '../session/call-options.js';
export type { CallStream } from '../session/call-stream.js';
export type { SessionEnd } from '../session/session.js';
export type {
  Context,
  EventHandler,
  HostCallOptions,
  PluginAgents,
  PluginContext,
  PluginEvent,
  PluginEvents,
  PluginLog,
  PluginLogFunction,
  PluginStorage,
} from './context.js';
export { definePlugin, type Handlers, type MethodHandler, type StreamHandler, type UntypedPlugin } from './define-plugin.js';
export { type DialPluginOptions, dialPlugin } from './dial-plugin.js';
export { type ChannelDefinition, defineChannel } from './kinds/channel.js';
export { defineModelProvider, type ModelProviderDefinition } from './kinds/model-provider.js';
export type { WorkerIdentification } from './open-run.js';
export type { Plugin, PluginOptions, RegisteredHandler } from './plugin.js';
export { PluginConfig } from './plugin-config.js';
export type { RedialOptions } from './redial-delay.js';
export { type RunPluginOptions, runPlugin } from './run-plugin.js';
export type { RunningPlugin, StopOptions } from './running-plugin.js';
export * from './shared.js';
export type { Subject } from './validate.js';
