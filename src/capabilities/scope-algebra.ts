import type { Capability, Scope } from './capability.js';
import { maxPatternsPerField, minimize } from './parse-scope.js';

/** The most comparisons that {@link coversScope} makes before it gives up and says no: the lists of the fields multiply. */
const maxComparisons = 4_000_000;
/** The most patterns that {@link intersectScopes} reduces to their normal form, which takes the square of their number. */
const maxProducts = 1_024;

/**
 * Whether `outer` scopes together cover `inner`: each combination of one pattern per field of `inner` must be covered by
 * **one** of them, in all fields. Scopes are in normal form. The same reading as that of `decide`, so what is covered
 * here is not denied there.
 *
 * A pattern that only several patterns together cover (`1-100` by `1-50` and `51-100`) is not covered. The question is
 * answered with no, too, where it would take more than four million comparisons.
 */
export function coversScope(capability: Capability, outer: readonly Scope[], inner: Scope): boolean {
  const fields = Object.keys(capability.scope);
  let comparisons = 0;

  function coversRest(candidates: readonly Scope[], at: number): boolean {
    if (candidates.length === 0 || comparisons > maxComparisons) return false;
    comparisons += candidates.length;
    // One that covers all remaining fields as a whole decides at once; only otherwise each pattern has to find its own.
    if (candidates.some((scope) => fields.slice(at).every((field) => coversField(capability, scope, inner, field)))) return true;
    const field = fields[at];
    if (field === undefined) return false;
    return patternsOf(inner, field).every((pattern) => {
      comparisons += candidates.length;
      const fitting = candidates.filter((scope) => coversPattern(capability, scope, field, pattern));
      return coversRest(fitting, at + 1);
    });
  }
  return isComplete(capability, inner) && coversRest(outer, 0);
}

/**
 * The scope that covers exactly what both cover, or undefined if there is no such thing. Undefined, too, if a field of it
 * would list more than 256 patterns: the result is then narrower than it could be, never wider.
 */
export function intersectScopes(capability: Capability, left: Scope, right: Scope): Scope | undefined {
  const both: Record<string, readonly string[]> = {};
  for (const [field, kind] of Object.entries(capability.scope)) {
    const patterns = new Set(patternsOf(left, field).flatMap((one) => patternsOf(right, field).flatMap((other) => kind.intersect(one, other))));
    if (patterns.size > maxProducts) return undefined;
    const minimal = minimize(kind, [...patterns]);
    if (minimal.length === 0 || minimal.length > maxPatternsPerField) return undefined;
    both[field] = minimal;
  }
  return both;
}

/** Whether the two have anything in common: whether a deny rule of one scope touches a request of the other. */
export function overlapsScope(capability: Capability, left: Scope, right: Scope): boolean {
  return Object.entries(capability.scope).every(([field, kind]) =>
    patternsOf(left, field).some((one) => patternsOf(right, field).some((other) => kind.intersect(one, other).length > 0)),
  );
}

/** The scope that covers all that the capability reaches. */
export function everythingOf(capability: Capability): Scope {
  return Object.fromEntries(Object.entries(capability.scope).map(([field, kind]) => [field, [kind.everything]]));
}

function coversField(capability: Capability, outer: Scope, inner: Scope, field: string): boolean {
  return patternsOf(inner, field).every((pattern) => coversPattern(capability, outer, field, pattern));
}

function coversPattern(capability: Capability, outer: Scope, field: string, pattern: string): boolean {
  const kind = capability.scope[field];
  return kind !== undefined && patternsOf(outer, field).some((wide) => kind.covers(wide, pattern));
}

function isComplete(capability: Capability, scope: Scope): boolean {
  return Object.keys(capability.scope).every((field) => patternsOf(scope, field).length > 0);
}

function patternsOf(scope: Scope, field: string): readonly string[] {
  return Object.hasOwn(scope, field) ? (scope[field] ?? []) : [];
}
