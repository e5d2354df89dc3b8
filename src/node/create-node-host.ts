import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtinCapabilities } from '../capabilities/builtin-capabilities.js';
import { createCatalogue } from '../capabilities/catalogue.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { createHost, type Host } from '../host/create-host.js';
import type { HostOptions } from '../host/host-options.js';
import { parsePolicyText } from '../host/parse-policy-text.js';
import type { Platform } from '../interfaces/platform.js';
import { parsePolicy } from '../policy/parse-policy.js';
import type { Policy } from '../policy/policy.js';
import type { PolicyDocument } from '../policy/policy-schema.js';
import { nodePlatform } from './node-platform.js';
import { readPluginFolder } from './plugin-folder.js';
import { processLauncher } from './process-launcher.js';

/** What a host on Node is made of; everything has a default. */
export interface NodeHostOptions extends Omit<HostOptions, 'platform' | 'policy' | 'readSource'> {
  /** The operator's policy: a parsed one, a document as an object, or the path of a YAML or JSON file. Default: nothing is granted by itself. */
  readonly policy?: Policy | PolicyDocument | string;
  /** Default: the real one, `nodePlatform()`. */
  readonly platform?: Platform;
}

/**
 * Makes a host on Node: real clock, randomness and hashes, workers in processes of their own, plugins read from folders.
 * @throws INVALID_POLICY, and what `createHost` throws.
 */
export function createNodeHost(options: NodeHostOptions = {}): Host {
  const catalogue = options.catalogue ?? createCatalogue(builtinCapabilities);
  return createHost({
    ...options,
    catalogue,
    platform: options.platform ?? nodePlatform(),
    launcher: options.launcher ?? processLauncher(),
    policy: readPolicy(options.policy ?? { rules: [] }),
    readSource: async (location) => {
      const folder = await readPluginFolder(typeof location === 'string' ? location : pathOf(location.href));
      return { ...folder, readContentDigest: async () => (await readPluginFolder(folder.directory)).contentDigest };
    },
  });

  function readPolicy(policy: Policy | PolicyDocument | string): Policy {
    if (typeof policy === 'string') return parsePolicyText(readPolicyFile(policy), { catalogue, fileName: basename(policy) });
    return 'version' in policy ? parsePolicy(policy, { catalogue }) : policy;
  }
}

function readPolicyFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new WorkerRuntimeError('INVALID_POLICY', `The policy file "${path}" cannot be read (${why}).`, { cause: error });
  }
}

function pathOf(href: string): string {
  try {
    return fileURLToPath(href);
  } catch (error) {
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `A plugin is installed from a folder; "${href}" is not a file: URL of one.`, { cause: error });
  }
}
