import { definePlugin, isWorkerRuntimeError, PluginError } from '../../../src/plugin/index.js';
import { digests } from './contract.js';

export const plugin = definePlugin(
  digests,
  {
    async digest({ folder, limit }, ctx) {
      const subjects = await ctx.storage.list(`${folder}/`);
      if (subjects.length === 0) throw new PluginError('empty', `There is nothing in "${folder}".`, { folder });
      ctx.progress(0.5, 'listed');
      return { subjects: subjects.slice(0, limit) };
    },
    async *follow({ folder }, ctx) {
      let seen = 0;
      for (const subject of await ctx.storage.list(`${folder}/`)) {
        if (ctx.draining) break;
        yield subject;
        seen += 1;
      }
      return { seen };
    },
  },
  {
    onLoad(ctx) {
      ctx.log.info({ language: ctx.config.getString('language', 'en') }, 'ready');
    },
    on: {
      async 'mail.*'(event, ctx) {
        try {
          await ctx.storage.set(`inbox/${event.id}`, event.payload);
        } catch (error) {
          if (!isWorkerRuntimeError(error, 'CAPABILITY_DENIED')) throw error;
          ctx.log.warn({ capability: error.details.capability, scope: error.details.scope }, 'not allowed to keep mail');
        }
      },
    },
  },
);
