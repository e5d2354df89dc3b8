import type { CapabilityCatalogue } from '../capabilities/capability.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { checkShape, hostFieldsOf } from './check-shape.js';
import { deepFreeze } from './deep-freeze.js';
import type { Manifest } from './manifest.js';
import type { PluginFiles } from './plugin-files.js';
import type { Problem } from './problem.js';
import { ProblemList } from './problem-list.js';
import { readConfigSchema } from './read-config-schema.js';
import { type ManifestInput, readDocument } from './read-document.js';
import { readIdentity } from './read-identity.js';
import { readFeatures, readRequests } from './read-requests.js';
import { readRequires } from './read-requires.js';
import { readRuntime } from './read-runtime.js';
import { readHooks, readLimits, readProvides, readResources, readSlots } from './read-sections.js';
import type { SourceTree } from './source-tree.js';

/** What a manifest is read against. */
export interface ManifestOptions {
  /** The capabilities of the host: a request for any other is an error. */
  readonly catalogue: CapabilityCatalogue;
  /** The folder that the manifest stands in: with it the entry point must be a file there. */
  readonly files?: PluginFiles | undefined;
}

/** What checking a manifest gave. */
export interface ManifestResult {
  /** Whether there is no error. Warnings do not count. */
  readonly valid: boolean;
  /** There exactly when `valid` is true. */
  readonly manifest?: Manifest;
  /** All that was found, in the order of the document. At most 100 of each severity. */
  readonly problems: readonly Problem[];
}

/**
 * Reads a manifest, YAML or JSON, in any dialect of the host project, and says everything that is wrong with it at once.
 * Never throws and never hangs, whatever the input: at most 64 KiB, 32 levels and 20,000 values are looked at.
 */
export function safeParseManifest(input: ManifestInput, options: ManifestOptions): ManifestResult {
  const { tree, problems: unreadable } = readDocument(input);
  if (tree === undefined) return { valid: false, problems: unreadable };
  const problems = new ProblemList(tree, unreadable);
  const manifest = normalise(tree, options, problems);
  return problems.hasErrors
    ? { valid: false, problems: problems.toArray() }
    : { valid: true, manifest: deepFreeze(manifest), problems: problems.toArray() };
}

/**
 * As `safeParseManifest`, but throws.
 *
 * @throws INVALID_MANIFEST with `details.problems` (errors and warnings) when the manifest has errors.
 */
export function parseManifest(input: ManifestInput, options: ManifestOptions): Manifest {
  const { manifest, problems } = safeParseManifest(input, options);
  if (manifest !== undefined) return manifest;
  throw invalidManifest(problems, input.fileName);
}

/** The error of a manifest that has errors. Its message names the first of them. */
export function invalidManifest(problems: readonly Problem[], fileName = 'manifest'): WorkerRuntimeError {
  const errors = problems.filter((problem) => problem.severity === 'error');
  const [first] = errors;
  const more = errors.length < 2 ? '' : ` (and ${errors.length - 1} more)`;
  const message = first === undefined ? 'The manifest is not valid.' : `${fileName}:${first.line}:${first.column}: ${first.message}${more}`;
  return new WorkerRuntimeError('INVALID_MANIFEST', message, { details: { problems } });
}

function normalise(tree: SourceTree, { catalogue, files }: ManifestOptions, problems: ProblemList): Manifest {
  const file = checkShape(tree, problems);
  const { minSynapse, ...requires } = readRequires(file, problems);
  return {
    ...readIdentity(file, problems),
    minSynapse,
    requires,
    requests: readRequests(file, catalogue, tree, problems),
    features: readFeatures(file),
    hooks: readHooks(file),
    configSchema: readConfigSchema(file, problems),
    provides: readProvides(file, tree, problems),
    limits: readLimits(file),
    minIsolation: file.min_isolation,
    runtime: readRuntime(file, tree, files, problems),
    slots: readSlots(file, problems),
    resources: readResources(file),
    hostFields: hostFieldsOf(file),
  };
}
