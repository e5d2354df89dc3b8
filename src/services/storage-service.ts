import { z } from 'zod';
import { storageRead, storageWrite } from '../capabilities/builtin-capabilities.js';
import { defineMethod, defineService, type Service } from './define-service.js';

/** Keeps values for plugins, each plugin in a space of its own. */
export interface StorageBackend {
  /** The value, or undefined. */
  get(pluginId: string, key: string): unknown | Promise<unknown>;
  /** @throws QUOTA_EXCEEDED */
  set(pluginId: string, key: string, value: unknown): void | Promise<void>;
  /** Whether there was a value. */
  delete(pluginId: string, key: string): boolean | Promise<boolean>;
  /** The keys that begin with `prefix`, sorted. */
  list(pluginId: string, prefix: string): readonly string[] | Promise<readonly string[]>;
}

const key = z.string().min(1).max(512);

/** The service `storage`: a key-value store for each plugin. */
export function storageService(backend: StorageBackend): Service {
  return defineService({
    name: 'storage',
    methods: {
      get: defineMethod({
        params: z.object({ key }),
        capability: storageRead,
        scope: (params) => ({ keys: params.key }),
        handle: async (params, call) => {
          const value = await backend.get(call.pluginId, params.key);
          return { found: value !== undefined, value };
        },
      }),
      list: defineMethod({
        params: z.object({ prefix: z.string().max(512).nullish() }),
        capability: storageRead,
        // A list touches every key below the prefix.
        scope: ({ prefix }) => ({ keys: `${prefix ?? ''}*` }),
        handle: async ({ prefix }, call) => ({ keys: await backend.list(call.pluginId, prefix ?? '') }),
      }),
      set: defineMethod({
        params: z.object({ key, value: z.unknown() }),
        capability: storageWrite,
        scope: (params) => ({ keys: params.key }),
        handle: (params, call) => backend.set(call.pluginId, params.key, params.value),
      }),
      delete: defineMethod({
        params: z.object({ key }),
        capability: storageWrite,
        scope: (params) => ({ keys: params.key }),
        handle: async (params, call) => ({ deleted: await backend.delete(call.pluginId, params.key) }),
      }),
    },
  });
}
