/** What both sides of a plugin need: contracts, their clients, the kinds of the host project, and Web Streams. The root entry and the plugin entry bring it. */
export { fromReadableStream, toReadableStream } from '../session/web-streams.js';
export {
  type Contract,
  defineContract,
  type MethodContract,
  type MethodContracts,
  type NoEntries,
  type StreamContract,
  type StreamContracts,
} from './contract.js';
export { type ContractCaller, type ContractCallerOptions, createContractClient } from './contract-client.js';
export type {
  CallArguments,
  ClientMethod,
  ClientStream,
  ContractCallOptions,
  ContractClient,
  ContractInput,
  ContractOutput,
  ContractStream,
  ContractStreamOptions,
  MethodHandlerParams,
  MethodHandlerResult,
  MethodParams,
  MethodResult,
  StreamHandlerInput,
  StreamHandlerItem,
  StreamHandlerParams,
  StreamHandlerResult,
  StreamInput,
  StreamItem,
  StreamParams,
  StreamResult,
} from './contract-types.js';
export { channelContract } from './kinds/channel.js';
export {
  type CompletionEnd,
  type CompletionEndInput,
  type CompletionRequest,
  type CompletionResponse,
  completionEnd,
  completionRequest,
  completionResponse,
  type InboundMessage,
  type InboundMessageInput,
  inboundMessage,
  type ModelCapabilities,
  type ModelCapabilitiesInput,
  type ModelInfo,
  type ModelInfoInput,
  modelCapabilities,
  modelInfo,
  type OutboundMessage,
  outboundMessage,
} from './kinds/messages.js';
export { modelProviderContract } from './kinds/model-provider.js';
export type { SchemaInput, SchemaOutput, StandardSchema, StandardSchemaIssue, StandardSchemaProps, StandardSchemaResult } from './standard-schema.js';
