import { z } from 'zod';
import { defineContract } from '../../src/plugin/contract.js';
import { definePlugin } from '../../src/plugin/define-plugin.js';

export const summarizer = defineContract({
  methods: { summarize: { params: z.object({ text: z.string() }), result: z.object({ summary: z.string() }), idempotent: true } },
  streams: { narrate: { params: z.object({ text: z.string() }), item: z.string(), result: z.object({ finishReason: z.string() }) } },
});

/** A plugin that uses its host: it remembers summaries and says that it made one. */
export const plugin = definePlugin(
  summarizer,
  {
    async summarize({ text }, ctx) {
      ctx.log.info({ chars: text.length }, 'start');
      const known = await ctx.storage.get(`summaries/${text}`);
      if (typeof known === 'string') return { summary: known };
      ctx.progress(0.5, 'ranking');
      const summary = text.slice(0, 3);
      await ctx.storage.set(`summaries/${text}`, summary);
      await ctx.events.publish('summary.made', { chars: text.length });
      return { summary };
    },
    async *narrate({ text }) {
      for (const word of text.split(' ')) yield word;
      return { finishReason: 'stop' };
    },
  },
  {
    on: {
      'mail.*': async (event, ctx) => {
        ctx.log.info({ topic: event.topic }, 'mail');
      },
    },
  },
);
