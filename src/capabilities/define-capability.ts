import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Attempt, Capability, Risk, ScopeKind } from './capability.js';
import { describeScope, placeholdersOf } from './describe-scope.js';
import { parseScope } from './parse-scope.js';

/** What a capability is made of; see {@link Capability}. */
export interface CapabilityDefinition<Field extends string> {
  /** Lower-case words parted by dots, at least two: `mail.send`. At most 128 characters. */
  readonly name: string;
  /** How much harm it can do in the wrong hands; shown to the operator. */
  readonly risk: Risk;
  /** A verb phrase with every scope field in braces, for the operator who approves it: `send mail to {domains}`. */
  readonly sentence: string;
  /** Fields in snake_case plural, each with a kind from `scopes`. May be empty. */
  readonly scope: Readonly<Record<Field, ScopeKind>>;
}

const nameForm = /^[a-z][a-z0-9_-]*(?:\.[a-z][a-z0-9_-]*)+$/;
const fieldForm = /^[a-z][a-z0-9_]{0,63}$/;
/** Keys that stand beside the scope's own in a manifest's request. */
const reservedFields = new Set(['capability', 'reason', 'optional']);
const risks: readonly string[] = ['low', 'medium', 'high'] satisfies readonly Risk[];

/**
 * Defines a capability: a named authority that a manifest can request and a service method can need.
 *
 * ```ts
 * const mailSend = defineCapability({ name: 'mail.send', risk: 'high', sentence: 'send mail to {domains}', scope: { domains: scopes.hostPatterns() } });
 * mailSend.for({ domains: 'example.com' });
 * ```
 * @throws INVALID_ARGUMENT if the name or a field has the wrong form, or if the sentence does not name each field once:
 * what an operator approves must not hide a part of it.
 */
export function defineCapability<const Field extends string>(definition: CapabilityDefinition<Field>): Capability<Field> {
  const { name, risk, sentence } = definition;
  const fields: Readonly<Record<Field, ScopeKind>> = Object.freeze({ ...definition.scope });
  const fieldNames = Object.keys(fields) as Field[];
  check(
    nameForm.test(name) && name.length <= 128,
    `The name of a capability is lower-case words parted by dots, as mail.send, not ${JSON.stringify(name)}.`,
  );
  check(risks.includes(risk), `The risk of ${name} is low, medium or high.`);
  for (const field of fieldNames) {
    check(
      fieldForm.test(field) && !reservedFields.has(field),
      `A scope field of ${name} is named in snake_case and not ${[...reservedFields].join(', ')}.`,
    );
  }
  check(
    [...placeholdersOf(sentence)].sort().join() === [...fieldNames].sort().join(),
    `The sentence of ${name} names each of its scope fields once: ${fieldNames.map((field) => `{${field}}`).join(', ')}.`,
  );

  return Object.freeze<Capability<Field>>({
    name,
    risk,
    sentence,
    scope: fields,
    parseScope: (raw) => parseScope(fields, raw),
    for: (values) => createAttempt(name, fields, fieldNames, values),
    describe: (scope) => describeScope(sentence, fields, scope),
  });
}

function createAttempt<Field extends string>(
  capability: string,
  fields: Readonly<Record<Field, ScopeKind>>,
  fieldNames: readonly Field[],
  values: Readonly<Record<Field, string | readonly string[]>>,
): Attempt {
  const scope: Record<string, readonly string[]> = {};
  for (const field of fieldNames) {
    const given: unknown = Object.hasOwn(values, field) ? values[field] : undefined;
    scope[field] = typeof given === 'string' ? [normalize(fields[field], given)] : normalizeList(fields[field], given, `${capability}.for: ${field}`);
  }
  if (Object.keys(values).length !== fieldNames.length) {
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `${capability}.for takes the fields ${fieldNames.join(', ')} and no others.`);
  }
  return { capability, scope };
}

function normalizeList(kind: ScopeKind, given: unknown, what: string): readonly string[] {
  check(Array.isArray(given) && given.length > 0, `${what} is missing; it takes a string or a list of at least one string.`);
  return (given as readonly unknown[]).map((value) => {
    check(typeof value === 'string', `${what} takes strings only.`);
    return normalize(kind, value as string);
  });
}

/** What has no normal form stays as it is: `decide` recognises and denies it, and the denial can show what was tried. */
function normalize(kind: ScopeKind, value: string): string {
  if (kind.isValue(value)) return value;
  const parsed = kind.parseValue(value);
  return 'value' in parsed ? parsed.value : value;
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new WorkerRuntimeError('INVALID_ARGUMENT', message);
}
