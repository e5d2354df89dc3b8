import { z } from 'zod';
import { WorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import type { Context } from '../context.js';
import { defineContract } from '../contract.js';
import { definePlugin } from '../define-plugin.js';
import type { Plugin, PluginOptions } from '../plugin.js';
import { type InboundMessage, inboundMessage, type OutboundMessage, outboundMessage } from './messages.js';

/** The contract of a channel (docs/protocol.md, section 11.1), for hosts: `plugin.as(channelContract).sendMessage(…)`. */
export const channelContract = defineContract({
  methods: {
    /** A message that arrived for the channel, pushed by the host. */
    onMessage: { wireName: 'channel.onMessage', params: inboundMessage, result: z.void() },
    /** Sends a message to the outside. */
    sendMessage: { wireName: 'channel.sendMessage', params: outboundMessage, result: z.void() },
    /** Which channel it is. */
    describe: { wireName: 'channel.describe', result: z.object({ channelId: z.string() }), idempotent: true },
  },
});

/** A channel: how people outside talk with the agents of the host. */
export interface ChannelDefinition extends PluginOptions {
  /** Unique among the host's plugins; the manifest names it in `slots.channel_id`. */
  readonly channelId: string;
  /** A message arrived. The channel usually hands it on: `await ctx.routeMessage(message)`. */
  onMessage(message: InboundMessage, ctx: Context): void | Promise<void>;
  /** Sends a message to the outside. */
  sendMessage(message: OutboundMessage, ctx: Context): void | Promise<void>;
}

/**
 * Defines a plugin that is a channel, after the host's Java plugin API.
 * @throws INVALID_ARGUMENT if something is missing.
 */
export function defineChannel(definition: ChannelDefinition): Plugin<typeof channelContract> {
  const { channelId, onMessage: _onMessage, sendMessage: _sendMessage, ...options } = definition;
  if (typeof channelId !== 'string' || channelId.trim() === '') throw new WorkerRuntimeError('INVALID_ARGUMENT', 'A channel needs a "channelId".');
  return definePlugin(
    channelContract,
    {
      // Called on the definition, so that its functions may use `this`.
      async onMessage(message, ctx) {
        await definition.onMessage(message, ctx);
      },
      async sendMessage(message, ctx) {
        await definition.sendMessage(message, ctx);
      },
      describe: () => ({ channelId }),
    },
    options,
  );
}
