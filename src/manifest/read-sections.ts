import type { Checked } from './check-shape.js';
import type { Manifest, ManifestLimits, ManifestProvides, ProvidedMethod, ProvidedStream } from './manifest.js';
import type { ManifestFile } from './manifest-schema.js';
import type { ProblemList } from './problem-list.js';
import { isUnprintable, quote } from './quote.js';
import { plainValue, type SourceTree } from './source-tree.js';

const mebibyte = 1_048_576;
/** Of methods and streams: what the protocol carries (docs/protocol.md, section 3). */
const methodPattern = /^[A-Za-z_][A-Za-z0-9_./-]{0,255}$/;
const reservedPrefixes = ['plugin.', 'events.', 'grants.'];
const maxNames = 256;

/** `limits`, completed from `resources`, which says the same in the words of the host project. */
export function readLimits(file: Checked<ManifestFile>): ManifestLimits {
  const { limits = {}, resources = {} } = file;
  const times = (value: number | undefined, factor: number): number | undefined => (value === undefined ? undefined : value * factor);
  return {
    maxConcurrency: limits.max_concurrency ?? resources.max_threads,
    startTimeoutMs: limits.start_timeout_ms,
    hookTimeoutMs: limits.hook_timeout_ms ?? times(resources.lifecycle_timeout_seconds, 1_000),
    handlerTimeoutMs: limits.handler_timeout_ms ?? times(limits.timeout_seconds ?? resources.message_handler_timeout_seconds, 1_000),
    maxLogLinesPerMinute: limits.max_log_lines_per_minute,
    maxMemoryBytes: times(limits.memory_mb ?? resources.memory_mb, mebibyte),
    maxCpuPercent: limits.cpu_percent ?? times(resources.cpu_cores, 100),
    maxStorageBytes: times(resources.storage_mb, mebibyte),
  };
}

/** The ids that must be unique among the loaded plugins, from both of their places. */
export function readSlots(file: Checked<ManifestFile>, problems: ProblemList): Manifest['slots'] {
  const read = (field: 'channel_id' | 'provider_id'): string | undefined => {
    const inSlots = file.slots?.[field];
    const atTop = file[field];
    const path = inSlots === undefined ? [field] : ['slots', field];
    const value = inSlots ?? atTop;
    if (inSlots !== undefined && atTop !== undefined && inSlots !== atTop) {
      problems.add('CONFLICTING_FIELDS', [field], `${field} is also given as ${quote(inSlots)} in slots; keep one of the two.`);
    }
    if (value !== undefined && (value.trim() === '' || isUnprintable(value)))
      problems.add('UNPRINTABLE_TEXT', path, `${field} must be a printable word, as telegram; write one.`);
    return value;
  };
  return { channelId: read('channel_id'), providerId: read('provider_id') };
}

/** What the plugin offers. The JSON Schemas are kept exactly as they were written, empty values included. */
export function readProvides(file: Checked<ManifestFile>, tree: SourceTree, problems: ProblemList): ManifestProvides {
  const section = <T>(name: 'methods' | 'streams' | 'events', isMethod: boolean): Record<string, T> => {
    const checked = file.provides?.[name];
    if (checked === undefined) return {};
    const kept = Object.entries(checked).flatMap(([key, value]) => {
      const path = ['provides', name, key];
      if (isMethod && !methodPattern.test(key))
        problems.addAtKey(
          'INVALID_NAME',
          path,
          `${quote(key)} is no name of a method; use letters, digits, "_", ".", "/" and "-", and a letter or "_" first.`,
        );
      else if (!isMethod && (key.trim() === '' || key.length > 256 || isUnprintable(key)))
        problems.addAtKey('INVALID_NAME', path, `${quote(key)} is no topic of an event; use words parted by dots.`);
      else if (isMethod && reservedPrefixes.some((prefix) => key.startsWith(prefix)))
        problems.addAtKey('RESERVED_NAME', path, `Names that begin with ${reservedPrefixes.join(', ')} belong to the runtime; rename ${quote(key)}.`);
      const node = tree.nodeAt(path);
      return value === undefined || node === undefined ? [] : [[key, plainValue(node, true) as T] as const];
    });
    if (kept.length > maxNames) problems.add('TOO_LONG', ['provides', name], `provides.${name} must have at most ${maxNames} entries.`);
    return Object.fromEntries(kept.slice(0, maxNames));
  };
  const methods = section<ProvidedMethod>('methods', true);
  const streams = section<ProvidedStream>('streams', true);
  for (const name of Object.keys(streams)) {
    if (Object.hasOwn(methods, name))
      problems.addAtKey('CONFLICTING_FIELDS', ['provides', 'streams', name], `${quote(name)} is also a method; give one of the two another name.`);
  }
  return { methods, streams, events: section('events', false) };
}

/** `resources` as it was written. */
export function readResources(file: Checked<ManifestFile>): Record<string, number> {
  return Object.fromEntries(Object.entries(file.resources ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}

/** Names of methods by hook. */
export function readHooks(file: Checked<ManifestFile>): Record<string, string> {
  return Object.fromEntries(Object.entries(file.hooks ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
