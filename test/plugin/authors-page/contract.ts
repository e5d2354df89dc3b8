import { z } from 'zod';
import { defineContract } from '../../../src/plugin/index.js';

export const digests = defineContract({
  methods: {
    digest: {
      params: z.object({ folder: z.string(), limit: z.int().default(10) }),
      result: z.object({ subjects: z.array(z.string()) }),
      idempotent: true,
    },
  },
  streams: {
    follow: { params: z.object({ folder: z.string() }), item: z.string(), result: z.object({ seen: z.int() }) },
  },
});
