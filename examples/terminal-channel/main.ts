import { defineChannel, serve } from '@synapse/worker-runtime/plugin';

await serve(
  defineChannel({
    channelId: 'terminal',
    async onMessage(message, ctx) {
      ctx.log.info({ characters: message.text.length, conversation: message.conversationId }, 'a message arrived');
      await ctx.routeMessage(message);
    },
    async sendMessage(message, ctx) {
      await ctx.events.publish('terminal.output', { text: message.text, conversationId: message.conversationId });
    },
  }),
);
