import { setTimeout as sleep } from 'node:timers/promises';
import { definePlugin, serve } from '@synapse/worker-runtime/plugin';
import { letters } from './contract.mjs';

async function send(to, text, ctx) {
  const signed = `${text}\n${ctx.config.getString('signature')}`;
  // A method of the host: whether this plugin may call it is decided there.
  await ctx.call('mail.send', { to, text: signed });
  await ctx.events.publish('letters.sent', { to });
  return { characters: signed.length };
}

const plugin = definePlugin(
  letters,
  {
    send: ({ to, text }, ctx) => send(to, text, ctx),
    async proofread({ text }, ctx) {
      const words = text.split(' ');
      for (const [index, word] of words.entries()) {
        await sleep(20, undefined, { signal: ctx.signal });
        ctx.progress((index + 1) / words.length, word);
      }
      return { words: words.length };
    },
    async *indent({ by }, ctx) {
      let lines = 0;
      for await (const line of ctx.items) {
        yield ' '.repeat(by) + line;
        lines += 1;
      }
      return { lines };
    },
  },
  {
    onLoad(ctx) {
      ctx.log.info({ key: ctx.config.getSecret('api_key') }, 'ready');
    },
    on: {
      async 'orders.*'(event, ctx) {
        await send(event.payload.customer, 'Thank you for your order.', ctx);
      },
    },
  },
);
await serve(plugin);
