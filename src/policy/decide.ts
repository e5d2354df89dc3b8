import type { Attempt, Scope, ScopeKind } from '../capabilities/capability.js';
import { describeValues } from '../capabilities/describe-scope.js';
import { quote } from '../capabilities/text-rules.js';
import type { CompiledCapability, CompiledGrants } from './compile-grants.js';
import type { Decision } from './decision.js';
import type { RuleReference } from './policy.js';
import type { Tuple } from './scope-set.js';

/** The most combinations of values that one attempt may touch. */
export const maxTuplesPerAttempt = 256;

/**
 * Judges an attempt. Pure: the same grants, attempt and time give the same decision.
 *
 * An attempt touches every combination of one value per scope field. It is denied if a deny rule overlaps **any** of
 * them, or if there is one that no single unexpired grant covers in **all** fields (different combinations may be covered
 * by different grants). If all are covered and a confirm rule overlaps any, it is `confirm`; otherwise `allow`.
 * An attempt that cannot be understood (a field missing or too many, a value that is none, over 256 combinations) is denied.
 *
 * @param nowMs - Wall-clock milliseconds since the epoch, for the expiry of grants.
 */
export function decide(compiled: CompiledGrants, attempt: Attempt, nowMs: number): Decision {
  const guard = compiled.byCapability.get(attempt.capability);
  if (guard === undefined) return deny(attempt, 'UNKNOWN_CAPABILITY', `There is no capability ${quote(attempt.capability)}.`);
  const first = readFirstTuple(guard, attempt);
  if (typeof first === 'string') return deny(attempt, 'INVALID_ATTEMPT', first);

  const { capability, scope } = attempt;
  let grantId: string | undefined;
  let confirmRule: RuleReference | undefined;
  let uncovered: Tuple[] | undefined;
  let at = 0;
  for (let tuple: Tuple | undefined = first; tuple !== undefined; tuple = readTuple(guard, scope, ++at)) {
    const denyRule = guard.denyRules.findOverlapping(tuple);
    if (denyRule !== undefined)
      return deny(attempt, 'DENIED_BY_RULE', `The policy denies the plugin ${capability}${on(scope)}.`, undefined, denyRule);
    const covering = guard.grants.findCovering(tuple, nowMs);
    if (covering === undefined) {
      uncovered ??= [];
      uncovered.push(tuple);
    }
    grantId ??= covering;
    confirmRule ??= guard.confirmRules.findOverlapping(tuple);
  }
  if (uncovered !== undefined || grantId === undefined) return denyUncovered(guard, attempt, uncovered ?? [first]);
  if (confirmRule !== undefined) {
    const sentence = `The policy wants a confirmation for ${capability}${on(scope)}.`;
    return { effect: 'confirm', code: 'CONFIRMATION_REQUIRED', capability, scope, sentence, grantId, rule: confirmRule };
  }
  return { effect: 'allow', code: 'GRANTED', capability, scope, sentence: guard.grantedSentence, grantId };
}

/** Checks the attempt; the first value of each field, or a sentence that says why it cannot be judged. */
function readFirstTuple(guard: CompiledCapability, { capability, scope }: Attempt): Tuple | string {
  let tuples = 1;
  const first: string[] = [];
  for (const { name, kind } of guard.fields) {
    const values: unknown = scope[name];
    if (!Array.isArray(values) || values.length === 0) return `The attempt to use ${capability} names no ${name}.`;
    tuples *= values.length;
    if (tuples > maxTuplesPerAttempt)
      return `The attempt to use ${capability} touches more than ${maxTuplesPerAttempt} combinations of values at once.`;
    for (const value of values as unknown[]) {
      if (typeof value !== 'string') return `The attempt to use ${capability} names ${name} that are not text.`;
      if (!kind.isValue(value)) return describeDefect(capability, name, kind, value);
    }
    first.push(values[0] as string);
  }
  let given = 0;
  for (const _ in scope) given++;
  return given === guard.fields.length ? first : `The attempt to use ${capability} names fields that its scope does not have.`;
}

function describeDefect(capability: string, field: string, kind: ScopeKind, value: string): string {
  const parsed = kind.parseValue(value);
  const why = 'message' in parsed ? parsed.message : `Its normal form is ${quote(parsed.value)}.`;
  return `The attempt to use ${capability} names ${describeValues({ [field]: [value] })}, which is not acceptable. ${why}`;
}

/** The combination number `at`, counted with the first field as the fastest; undefined after the last. */
function readTuple(guard: CompiledCapability, scope: Scope, at: number): Tuple | undefined {
  let rest = at;
  const tuple: string[] = [];
  for (const { name } of guard.fields) {
    const values = scope[name] ?? [];
    tuple.push(values[rest % values.length] ?? '');
    rest = Math.floor(rest / values.length);
  }
  return rest > 0 ? undefined : tuple;
}

function denyUncovered(guard: CompiledCapability, attempt: Attempt, uncovered: readonly Tuple[]): Decision {
  const { capability, scope } = attempt;
  if (guard.grants.entries.length === 0) return deny(attempt, 'NOT_GRANTED', `The plugin has no grant for ${capability}${on(scope)}.`, scope);
  const missing = missingOf(guard, uncovered);
  const onlyExpired = guard.grants.canExpire && uncovered.every((tuple) => guard.grants.findCovering(tuple, Number.NEGATIVE_INFINITY) !== undefined);
  if (onlyExpired) return deny(attempt, 'GRANT_EXPIRED', `The plugin's grant for ${capability}${on(scope)} has expired.`, missing);
  return deny(attempt, 'SCOPE_NOT_GRANTED', `The plugin has no grant for ${capability}${on(missing)}.`, missing);
}

/** The fields that lack something, each with all its values in what is not covered: a grant of these would do. */
function missingOf(guard: CompiledCapability, uncovered: readonly Tuple[]): Scope {
  const lacking = new Set<number>();
  for (const tuple of uncovered) for (const field of guard.grants.uncoveredFields(tuple)) lacking.add(field);
  const missing: Record<string, readonly string[]> = {};
  for (let field = 0; field < guard.fields.length; field++) {
    // None lacks anything where the covering grants have expired: then all that was attempted is what is missing.
    if (lacking.size > 0 && !lacking.has(field)) continue;
    const values = uncovered.map((tuple) => tuple[field] ?? '');
    missing[guard.fields[field]?.name ?? ''] = values.length < 2 ? values : [...new Set(values)];
  }
  return missing;
}

function on(scope: Scope): string {
  const values = describeValues(scope);
  return values === '' ? '' : ` on ${values}`;
}

function deny({ capability, scope }: Attempt, code: Decision['code'], sentence: string, missing?: Scope, rule?: RuleReference): Decision {
  if (missing !== undefined) return { effect: 'deny', code, capability, scope, sentence, missing };
  return rule === undefined ? { effect: 'deny', code, capability, scope, sentence } : { effect: 'deny', code, capability, scope, sentence, rule };
}
