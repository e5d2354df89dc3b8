import { defineContract } from '@synapse/worker-runtime/plugin';
import { z } from 'zod';

export const summarizer = defineContract({
  methods: { summarize: { params: z.object({ text: z.string() }), result: z.object({ summary: z.string() }) } },
  streams: { narrate: { params: z.object({ text: z.string() }), item: z.string(), result: z.object({ words: z.number() }) } },
});
