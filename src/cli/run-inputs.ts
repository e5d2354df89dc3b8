import { stat } from 'node:fs/promises';
import type { CapabilityCatalogue } from '../capabilities/capability.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Policy } from '../policy/policy.js';
import { type GrantWord, parseGrantWord } from './grant-words.js';
import { readConfig, readParams, readPolicy } from './read-input.js';

/** Where a run takes what it works with, as it stands on the command line. */
export interface RunInputOptions {
  /** JSON, `@FILE`, or `-` for standard input. Default `{}`. */
  readonly params?: string;
  readonly policy?: string;
  readonly config?: string;
  /** `CAPABILITY[:SCOPE]`; see `parseGrantWord`. */
  readonly grant?: readonly string[];
}

/** What the options name, read. */
export interface RunInputs {
  readonly params: unknown;
  readonly config: Readonly<Record<string, unknown>>;
  readonly policy: Policy;
  readonly grants: readonly GrantWord[];
}

/**
 * Reads what the options name, before anything is installed.
 * @throws INVALID_ARGUMENT, INVALID_POLICY: for the caller of the command to repair.
 */
export async function readRunInputs(folder: string, options: RunInputOptions, catalogue: CapabilityCatalogue): Promise<RunInputs> {
  const stats = await stat(folder).catch(() => undefined);
  if (stats?.isDirectory() !== true) {
    const what = stats === undefined ? 'does not exist or cannot be reached' : 'is not a folder; name the folder that holds the manifest';
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `${folder} ${what}.`);
  }
  const grants = (options.grant ?? []).map((word) => parseGrantWord(word, catalogue));
  const policy = await readPolicy(options.policy, catalogue);
  const config = await readConfig(options.config);
  return { grants, policy, config, params: await readParams(options.params) };
}
