import { definePlugin, serve } from '@synapse/worker-runtime/plugin';
import { summarizer } from './contract.mjs';

const plugin = definePlugin(summarizer, {
  async summarize({ text }, ctx) {
    const summary = text.split('. ')[0] ?? '';
    ctx.log.info({ characters: text.length }, 'summarised');
    await ctx.events.publish('summaries.made', { summary });
    return { summary };
  },
  async *narrate({ text }) {
    const words = text.split(' ');
    for (const word of words) yield word;
    return { words: words.length };
  },
});
await serve(plugin);
