import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { StorageBackend } from './storage-service.js';

/** Limits of a memory storage, for each plugin. */
export interface MemoryStorageOptions {
  /** Default 10,000. */
  readonly maxKeys?: number;
  /** Estimated size of all values; default 16 MiB. */
  readonly maxBytes?: number;
}

/** A storage that forgets everything when the host ends. */
export function memoryStorage({ maxKeys = 10_000, maxBytes = 16 * 1024 * 1024 }: MemoryStorageOptions = {}): StorageBackend {
  const spaces = new Map<string, { readonly values: Map<string, { readonly value: unknown; readonly bytes: number }>; bytes: number }>();
  return {
    get: (pluginId, key) => spaces.get(pluginId)?.values.get(key)?.value,
    set(pluginId, key, value) {
      const space = spaces.get(pluginId) ?? { values: new Map(), bytes: 0 };
      const bytes = key.length + estimateBytes(value);
      const before = space.values.get(key)?.bytes ?? 0;
      if (space.bytes - before + bytes > maxBytes || (before === 0 && space.values.size >= maxKeys)) {
        throw new WorkerRuntimeError('QUOTA_EXCEEDED', `The storage of "${pluginId}" is full (${maxKeys} keys, ${maxBytes} bytes); delete something first.`);
      }
      space.values.set(key, { value, bytes });
      space.bytes += bytes - before;
      spaces.set(pluginId, space);
    },
    delete(pluginId, key) {
      const space = spaces.get(pluginId);
      const entry = space?.values.get(key);
      if (space === undefined || entry === undefined) return false;
      space.values.delete(key);
      space.bytes -= entry.bytes;
      return true;
    },
    list: (pluginId, prefix) => [...(spaces.get(pluginId)?.values.keys() ?? [])].filter((key) => key.startsWith(prefix)).sort(),
  };
}

function estimateBytes(value: unknown): number {
  if (typeof value === 'string') return value.length * 2;
  if (value instanceof Uint8Array) return value.byteLength;
  if (Array.isArray(value)) return value.reduce<number>((sum, element) => sum + estimateBytes(element), 8);
  if (typeof value === 'object' && value !== null) return Object.entries(value).reduce((sum, [key, element]) => sum + key.length * 2 + estimateBytes(element), 8);
  return 8;
}
