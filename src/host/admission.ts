import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { FrameLimits } from '../frames/limits.js';
import type { Manifest } from '../manifest/manifest.js';
import type { HelloFields, WelcomeFields } from '../messages/message.js';
import type { Authority } from './authority.js';

/** What a worker is told when it says hello. */
export interface AdmissionOptions {
  readonly manifest: Manifest;
  readonly createId: () => string;
  readonly authority: Authority;
  readonly config: Readonly<Record<string, unknown>>;
  readonly secretConfigKeys: readonly string[];
  readonly frameLimits: FrameLimits;
  readonly maxConcurrency: number;
  readonly heartbeatMs: number;
  readonly debug: boolean;
}

/**
 * Decides about the hello of a worker, launched or let in at the gate: it must be a worker and, if it says who it is, the one that was expected.
 * @throws HANDSHAKE_INVALID
 */
export function admitWorker(hello: HelloFields, generation: number, options: AdmissionOptions): Omit<WelcomeFields, 'version' | 'features'> {
  const { manifest, createId, authority, config, secretConfigKeys, frameLimits, maxConcurrency, heartbeatMs, debug } = options;
  const { maxFrameBytes, maxDepth, maxElements } = frameLimits;
  if (hello.role !== 'worker') throw new WorkerRuntimeError('HANDSHAKE_INVALID', 'The peer must be a worker.');
  if (hello.plugin !== undefined && (hello.plugin.id !== manifest.id || hello.plugin.version !== manifest.version)) {
    throw new WorkerRuntimeError(
      'HANDSHAKE_INVALID',
      `The worker calls itself ${hello.plugin.id} ${hello.plugin.version}, but ${manifest.id} ${manifest.version} was expected.`,
    );
  }
  return {
    session: createId(),
    generation,
    plugin: { id: manifest.id, version: manifest.version },
    grants: authority.wireGrants,
    config,
    secretConfigKeys,
    limits: { maxFrameBytes, maxDepth, maxElements, maxConcurrency },
    heartbeatMs,
    debug,
  };
}
