import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { ConfigField, ConfigSchema } from './config-schema.js';
import { type ConfigProblem, checkFields } from './config-value.js';
import { toPointer } from './pointer.js';

/** What checking a configuration gave. */
export interface ConfigResult {
  /** The values that are right, with the defaults filled in. Use it only when there are no problems. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Keys of `config` whose values must never be logged or shown. */
  readonly secretKeys: readonly string[];
  /** At most 100. */
  readonly problems: readonly ConfigProblem[];
}

const maxProblems = 100;

/**
 * Checks a configuration against the schema of a manifest. Defaults are filled in; a blank text counts as absent, as it
 * does in the host; nothing is ever converted; unknown keys are problems. No message holds a value.
 */
export function validateConfig(schema: ConfigSchema, values: Readonly<Record<string, unknown>> = {}): ConfigResult {
  const problems: ConfigProblem[] = [];
  const config = checkFields(schema, values, [], (code, path, message) => {
    if (problems.length < maxProblems) problems.push({ code, path: toPointer(path), message });
  });
  return { config, secretKeys: schema.fields.filter(isSecret).map((field) => field.key), problems };
}

/**
 * As `validateConfig`, but throws.
 *
 * @throws INVALID_CONFIG with `details.problems` when something is wrong.
 */
export function parseConfig(schema: ConfigSchema, values: Readonly<Record<string, unknown>> = {}): Omit<ConfigResult, 'problems'> {
  const { config, secretKeys, problems } = validateConfig(schema, values);
  const [first] = problems;
  if (first === undefined) return { config, secretKeys };
  const more = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`;
  throw new WorkerRuntimeError('INVALID_CONFIG', `The configuration does not fit: ${first.message}${more}`, { details: { problems } });
}

/** A map or list with a secret inside is secret as a whole. */
function isSecret(field: ConfigField): boolean {
  return field.secret || holdsSecret(field);
}

function holdsSecret(rules: Pick<ConfigField, 'fields' | 'items'>): boolean {
  return (rules.fields?.fields.some(isSecret) ?? false) || (rules.items !== undefined && holdsSecret(rules.items));
}
