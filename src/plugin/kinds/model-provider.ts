import { z } from 'zod';
import { WorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import type { Context, PluginContext } from '../context.js';
import { defineContract } from '../contract.js';
import { definePlugin } from '../define-plugin.js';
import type { Plugin, PluginOptions } from '../plugin.js';
import {
  type CompletionEndInput,
  type CompletionRequest,
  type CompletionResponse,
  completionEnd,
  completionRequest,
  completionResponse,
  type ModelCapabilitiesInput,
  type ModelInfoInput,
  modelCapabilities,
  modelInfo,
} from './messages.js';

/** The contract of a model provider (docs/protocol.md, section 11.1), for hosts: `plugin.as(modelProviderContract).complete(…)`. */
export const modelProviderContract = defineContract({
  methods: {
    /** Answers in one piece. Without a time limit of the call's own it may take five minutes. */
    complete: { wireName: 'model.complete', params: completionRequest, result: completionResponse, timeoutMs: 300_000 },
    /** What the provider can do. */
    capabilities: { wireName: 'model.capabilities', result: modelCapabilities, idempotent: true },
    /** Its models. */
    listModels: { wireName: 'model.listModels', result: z.object({ models: z.array(modelInfo) }), idempotent: true },
    /** Which provider it is. */
    describe: { wireName: 'model.describe', result: z.object({ providerId: z.string() }), idempotent: true },
  },
  streams: {
    /** Answers in pieces of text. */
    stream: { wireName: 'model.stream', params: completionRequest, item: z.string(), result: completionEnd },
  },
});

/** A model provider: answers completion requests. */
export interface ModelProviderDefinition extends PluginOptions {
  /** Unique among the host's plugins; the manifest names it in `slots.provider_id`. */
  readonly providerId: string;
  /** Runs before `onLoad`: read the configuration here. */
  configure?(ctx: PluginContext): void | Promise<void>;
  /** Answers in one piece. */
  complete(request: CompletionRequest, ctx: Context): CompletionResponse | Promise<CompletionResponse>;
  /** Answers in pieces of text (`async *stream(request, ctx)`) and returns how it ended. Without it the answer of `complete` is sent as one piece. */
  stream?(request: CompletionRequest, ctx: Context): AsyncGenerator<string, CompletionEndInput, unknown>;
  /** The models of the provider. */
  listModels(ctx: Context): readonly ModelInfoInput[] | Promise<readonly ModelInfoInput[]>;
  /** What the provider can do. What is left out is false; `streaming` is true if there is a `stream`. */
  readonly capabilities?: ModelCapabilitiesInput | ((ctx: Context) => ModelCapabilitiesInput | Promise<ModelCapabilitiesInput>);
}

/**
 * Defines a plugin that is a model provider, after the host's Java plugin API.
 * @throws INVALID_ARGUMENT if something is missing.
 */
export function defineModelProvider(definition: ModelProviderDefinition): Plugin<typeof modelProviderContract> {
  const {
    providerId,
    configure: _configure,
    complete: _complete,
    stream: _stream,
    listModels: _listModels,
    capabilities: _capabilities,
    ...options
  } = definition;
  if (typeof providerId !== 'string' || providerId.trim() === '')
    throw new WorkerRuntimeError('INVALID_ARGUMENT', 'A model provider needs a "providerId".');
  return definePlugin(
    modelProviderContract,
    {
      complete: (request, ctx) => definition.complete(request, ctx),
      stream: (request, ctx) => (definition.stream === undefined ? inOnePiece(definition, request, ctx) : definition.stream(request, ctx)),
      listModels: async (_params, ctx) => ({ models: [...(await definition.listModels(ctx))] }),
      capabilities: async (_params, ctx) => {
        const { capabilities = {} } = definition;
        const own = typeof capabilities === 'function' ? await capabilities(ctx) : capabilities;
        // Written out, since callers in other languages do not fill in defaults.
        return modelCapabilities.parse({ ...own, streaming: own.streaming ?? definition.stream !== undefined });
      },
      describe: () => ({ providerId }),
    },
    {
      ...options,
      async onLoad(ctx) {
        await definition.configure?.(ctx);
        await definition.onLoad?.(ctx);
      },
    },
  );
}

async function* inOnePiece(
  definition: ModelProviderDefinition,
  request: CompletionRequest,
  ctx: Context,
): AsyncGenerator<string, CompletionEndInput, unknown> {
  const { content, promptTokens, completionTokens, finishReason } = await definition.complete(request, ctx);
  yield content;
  return { finishReason, totalTokens: promptTokens < 0 || completionTokens < 0 ? -1 : promptTokens + completionTokens };
}
