import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { estimateBytes } from './estimate-bytes.js';
import type { StorageBackend } from './storage-service.js';

/** Limits of a memory storage, for each plugin. */
export interface MemoryStorageOptions {
  /** Default 10,000. */
  readonly maxKeys?: number;
  /** Estimated size of all keys and values, in bytes; default 16 MiB. */
  readonly maxBytes?: number;
}

/** A storage that forgets everything when the host ends. */
export function memoryStorage({ maxKeys = 10_000, maxBytes = 16 * 1024 * 1024 }: MemoryStorageOptions = {}): StorageBackend {
  const spaces = new Map<string, Space>();
  return {
    get: (pluginId, key) => spaces.get(pluginId)?.values.get(key)?.value,
    set(pluginId, key, value) {
      const space = spaces.get(pluginId) ?? { values: new Map(), bytes: 0, sortedKeys: undefined };
      const before = space.values.get(key);
      const bytes = estimateBytes(key) + estimateBytes(value);
      const total = space.bytes - (before?.bytes ?? 0) + bytes;
      if (total > maxBytes || (before === undefined && space.values.size >= maxKeys)) {
        throw new WorkerRuntimeError(
          'QUOTA_EXCEEDED',
          `The storage of "${pluginId}" is full: it may have ${maxKeys} keys and ${maxBytes} bytes. Delete something first.`,
        );
      }
      space.values.set(key, { value, bytes });
      if (before === undefined) space.sortedKeys = undefined;
      space.bytes = total;
      spaces.set(pluginId, space);
    },
    delete(pluginId, key) {
      const space = spaces.get(pluginId);
      const entry = space?.values.get(key);
      if (space === undefined || entry === undefined) return false;
      space.values.delete(key);
      space.sortedKeys = undefined;
      space.bytes -= entry.bytes;
      return true;
    },
    list(pluginId, { prefix, after, limit }) {
      const space = spaces.get(pluginId);
      if (space === undefined) return [];
      space.sortedKeys ??= [...space.values.keys()].sort();
      const keys = space.sortedKeys;
      const listed: string[] = [];
      for (let at = firstIndex(keys, (key) => key >= prefix && key > after); at < keys.length && listed.length < limit; at++) {
        const key = keys[at] as string;
        if (!key.startsWith(prefix)) break;
        listed.push(key);
      }
      return listed;
    },
  };
}

interface Space {
  readonly values: Map<string, { readonly value: unknown; readonly bytes: number }>;
  bytes: number;
  /** Kept from list to list, until the keys change. */
  sortedKeys: readonly string[] | undefined;
}

/** The first index whose key fits; keys that fit come after those that do not. */
function firstIndex(keys: readonly string[], fits: (key: string) => boolean): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fits(keys[middle] as string)) high = middle;
    else low = middle + 1;
  }
  return low;
}
