import { defineContract } from '@synapse/worker-runtime/plugin';
import { z } from 'zod';

export const letters = defineContract({
  methods: {
    send: { params: z.object({ to: z.string(), text: z.string() }), result: z.object({ characters: z.int() }) },
    proofread: { params: z.object({ text: z.string() }), result: z.object({ words: z.int() }), idempotent: true },
  },
  streams: {
    // Items go both ways: `input` from the caller, `item` to the caller.
    indent: { params: z.object({ by: z.int() }), input: z.string(), item: z.string(), result: z.object({ lines: z.int() }) },
  },
});
