import { z } from 'zod';

// Absent and nil are one value on the wire, so that what may be left out may be nil as well. Unknown fields are no error: newer hosts send more.
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value): z.output<Schema> | undefined => value ?? undefined);
const freeMap = optional(z.record(z.string(), z.unknown())).transform((value): Readonly<Record<string, unknown>> => value ?? {});
const id = z.string().min(1).max(512);

const message = z.object({
  channelId: id,
  externalUserId: z.string().max(512),
  conversationId: z.string().max(512),
  text: z.string(),
  metadata: freeMap,
});

/** Validator of an {@link InboundMessage}. */
export const inboundMessage = message.extend({ receivedAt: z.iso.datetime({ offset: true }) });
/** What somebody wrote to a channel. `receivedAt` is an ISO 8601 time with offset, `metadata` is empty if absent. */
export type InboundMessage = z.output<typeof inboundMessage>;
/** An {@link InboundMessage} as it may be written: without `metadata`. */
export type InboundMessageInput = z.input<typeof inboundMessage>;

/** Validator of an {@link OutboundMessage}. */
export const outboundMessage = message;
/** What the host sends through a channel. */
export type OutboundMessage = z.output<typeof outboundMessage>;

/** Validator of a {@link CompletionRequest}. */
export const completionRequest = z.object({
  model: z.string().max(512),
  messages: z.array(z.object({ role: z.string().min(1).max(64), content: z.string() })),
  temperature: optional(z.number()),
  maxTokens: optional(z.int().min(1)),
  extra: freeMap,
});
/** What a model is asked. `extra` holds what only some providers understand. */
export type CompletionRequest = z.output<typeof completionRequest>;

/** Validator of a {@link CompletionResponse}. */
export const completionResponse = z.object({
  content: z.string(),
  model: z.string(),
  promptTokens: z.int().min(-1),
  completionTokens: z.int().min(-1),
  finishReason: z.string(),
});
/** What a model answered. −1 tokens = unknown. */
export type CompletionResponse = z.output<typeof completionResponse>;

/** Validator of a {@link CompletionEnd}. */
export const completionEnd = z.object({
  finishReason: z.string(),
  totalTokens: optional(z.int().min(-1)).transform((tokens) => tokens ?? -1),
});
/** How a streamed answer ended. −1 tokens = unknown. */
export type CompletionEnd = z.output<typeof completionEnd>;
/** A {@link CompletionEnd} as it may be written: without `totalTokens`. */
export type CompletionEndInput = z.input<typeof completionEnd>;

const flag = optional(z.boolean()).transform((value) => value ?? false);

/** Validator of {@link ModelCapabilities}. */
export const modelCapabilities = z.object({
  streaming: flag,
  toolCalling: flag,
  vision: flag,
  embeddings: flag,
  maxContextTokens: optional(z.int().min(0)).transform((tokens) => tokens ?? 128_000),
});
/** What a model provider can do. Features are false and `maxContextTokens` 128,000 if absent. */
export type ModelCapabilities = z.output<typeof modelCapabilities>;
/** {@link ModelCapabilities} as they may be written: what is left out has its default. */
export type ModelCapabilitiesInput = z.input<typeof modelCapabilities>;

/** Validator of a {@link ModelInfo}. */
export const modelInfo = z.object({
  id,
  displayName: z.string(),
  contextWindow: z.int().min(0),
  deprecated: flag,
});
/** A model of a provider. `deprecated` is false if absent. */
export type ModelInfo = z.output<typeof modelInfo>;
/** A {@link ModelInfo} as it may be written. */
export type ModelInfoInput = z.input<typeof modelInfo>;
