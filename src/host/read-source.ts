import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { HostOptions } from './host-options.js';
import type { FileUrl, PluginSource } from './plugin-source.js';

/** What a plugin is installed from, wherever it lies. Rejects with INVALID_ARGUMENT, or what the host's reader rejects with. */
export async function readSource(source: string | FileUrl | PluginSource, readFolder: HostOptions['readSource']): Promise<PluginSource> {
  if (typeof source === 'object' && source !== null && 'manifest' in source) return source;
  if (typeof source !== 'string' && (typeof source !== 'object' || source === null || typeof source.href !== 'string')) {
    throw new WorkerRuntimeError('INVALID_ARGUMENT', "install takes the path of a plugin's folder, a file: URL of it, or a PluginSource.");
  }
  if (readFolder === undefined) {
    throw new WorkerRuntimeError('INVALID_ARGUMENT', 'This host cannot read folders; pass a PluginSource, or use createNodeHost.');
  }
  return readFolder(source);
}
