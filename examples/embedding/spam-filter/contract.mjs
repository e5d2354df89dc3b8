import { defineContract } from '@synapse/worker-runtime/plugin';
import { z } from 'zod';

export const spamFilter = defineContract({
  methods: { check: { params: z.object({ text: z.string() }), result: z.object({ spam: z.boolean() }), idempotent: true } },
});
