import { z } from 'zod';
import { storageRead, storageWrite } from '../capabilities/builtin-capabilities.js';
import { defineMethod, defineService, type Service } from './define-service.js';

/** Keeps values for plugins, each plugin in a space of its own. */
export interface StorageBackend {
  /** The value, or undefined. */
  get(pluginId: string, key: string): unknown | Promise<unknown>;
  /** Stores a value under a key of 1 to 512 characters, in place of the one that was there. @throws QUOTA_EXCEEDED where the plugin's space is full. */
  set(pluginId: string, key: string, value: unknown): void | Promise<void>;
  /** Whether there was a value. */
  delete(pluginId: string, key: string): boolean | Promise<boolean>;
  /** The keys that begin with `prefix` and come after the key `after`, sorted, at most `limit`. */
  list(pluginId: string, range: StorageRange): readonly string[] | Promise<readonly string[]>;
}

/** Which keys are listed. */
export interface StorageRange {
  /** Empty = all. */
  readonly prefix: string;
  /** Empty = from the first. */
  readonly after: string;
  /** At least 1. */
  readonly limit: number;
}

/** Keys of one answer to `storage.list`: what a plugin asks for in one call must not hold up the host. */
const maxListedKeys = 1_000;

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
        params: z.object({ prefix: z.string().max(512).nullish(), after: z.string().max(512).nullish() }),
        capability: storageRead,
        // A list touches every key below the prefix.
        scope: ({ prefix }) => ({ keys: `${prefix ?? ''}*` }),
        handle: async ({ prefix, after }, call) => {
          const keys = await backend.list(call.pluginId, { prefix: prefix ?? '', after: after ?? '', limit: maxListedKeys + 1 });
          return { keys: keys.slice(0, maxListedKeys), more: keys.length > maxListedKeys };
        },
      }),
      set: defineMethod({
        params: z.object({ key, value: z.unknown().optional() }),
        capability: storageWrite,
        scope: (params) => ({ keys: params.key }),
        // Absent and nil are one value on the wire; a key that was set is there.
        handle: (params, call) => backend.set(call.pluginId, params.key, params.value ?? null),
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
