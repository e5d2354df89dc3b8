import type { CapabilityCatalogue } from '../capabilities/capability.js';
import { everythingOf } from '../capabilities/scope-algebra.js';
import { expiryOf, type Grant, type GrantSubject, isPinnedTo } from './grant.js';
import { type PolicyRule, type RuleReference, referTo } from './policy.js';
import { createScopeSet, fieldsOf, type ScopedItem, type ScopeField, type ScopeSet } from './scope-set.js';

/** All that concerns one capability. */
export interface CompiledCapability {
  readonly fields: readonly ScopeField[];
  /** The ids of the grants. */
  readonly grants: ScopeSet<string>;
  readonly denyRules: ScopeSet<RuleReference>;
  readonly confirmRules: ScopeSet<RuleReference>;
  readonly grantedSentence: string;
}

/** A grant that grants nothing, and why. */
export interface IgnoredGrant {
  /** Id of the grant. */
  readonly grantId: string;
  /** `NOT_PINNED`: it is for another plugin, manifest or content; the others concern its capability and scope. */
  readonly code: 'NOT_PINNED' | 'UNKNOWN_CAPABILITY' | 'INVALID_SCOPE';
}

/** What a plugin may do, compiled for `decide`. Immutable: a change of grants or policy compiles anew. */
export interface CompiledGrants {
  /** For `decide` alone: by name, for every capability of the catalogue. */
  readonly byCapability: ReadonlyMap<string, CompiledCapability>;
  /** Grants that grant nothing here, for the operator. */
  readonly ignored: readonly IgnoredGrant[];
}

/** What grants are compiled with. */
export interface CompileGrantsOptions {
  /** An attempt on a capability that it lacks is denied. */
  readonly catalogue: CapabilityCatalogue;
  /** Whose grants they are; a grant that is not pinned to it is ignored. */
  readonly subject: GrantSubject;
  /** The rules of the policy that apply to the plugin (`rulesFor`): its deny and confirm rules are asked at every decision. Default none. */
  readonly rules?: readonly PolicyRule[];
}

/**
 * Compiles a plugin's grants and the rules that limit them. Whatever is not certain grants nothing: a grant for another
 * plugin or manifest, of a capability that the catalogue lacks, or with a scope that its capability does not understand
 * (a grant from before a field was added must not gain everything in it).
 */
export function compileGrants(grants: readonly Grant[], { catalogue, subject, rules = [] }: CompileGrantsOptions): CompiledGrants {
  const byCapability = new Map<string, CompiledCapability>();
  const ignored: IgnoredGrant[] = [];
  const usable = new Map<string, ScopedItem<string>[]>();
  // Sorted, so that of several grants the same one is named whatever order the store returned.
  for (const grant of [...grants].sort((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id)))) {
    const code = whyIgnored(grant, subject, catalogue);
    if (code !== undefined) ignored.push({ grantId: grant.id, code });
    else append(usable, grant.capability, { scope: grant.scope, item: grant.id, untilMs: expiryOf(grant) });
  }
  const limits = { deny: new Map<string, PolicyRule[]>(), confirm: new Map<string, PolicyRule[]>() };
  for (const rule of rules) if (rule.effect !== 'allow') append(limits[rule.effect], rule.capability, rule);
  for (const name of catalogue.names) {
    const capability = catalogue.get(name);
    if (capability === undefined) continue;
    const fields = fieldsOf(capability);
    const everything = everythingOf(capability);
    const compileRules = (byName: ReadonlyMap<string, PolicyRule[]>): ScopeSet<RuleReference> => {
      const applying = [...(byName.get(name) ?? []), ...(byName.get('*') ?? [])];
      return createScopeSet(
        fields,
        applying.map((rule) => ({ scope: rule.scope ?? everything, item: referTo(rule) })),
      );
    };
    byCapability.set(name, {
      fields,
      grants: createScopeSet(fields, usable.get(name) ?? []),
      denyRules: compileRules(limits.deny),
      confirmRules: compileRules(limits.confirm),
      grantedSentence: `The plugin has a grant for ${name}.`,
    });
  }
  return { byCapability, ignored };
}

function whyIgnored(grant: Grant, subject: GrantSubject, catalogue: CapabilityCatalogue): IgnoredGrant['code'] | undefined {
  if (!isPinnedTo(grant, subject)) return 'NOT_PINNED';
  const capability = catalogue.get(grant.capability);
  if (capability === undefined) return 'UNKNOWN_CAPABILITY';
  const fields = Object.keys(capability.scope);
  const parsed = capability.parseScope(grant.scope);
  // Parsing fills in what is missing. A stored scope that it changes was not written by this library, or not for this capability.
  const normal = 'scope' in parsed && fields.every((field) => sameList(parsed.scope[field], grant.scope[field]));
  return normal ? undefined : 'INVALID_SCOPE';
}

function sameList(parsed: readonly string[] | undefined, stored: unknown): boolean {
  return parsed !== undefined && Array.isArray(stored) && parsed.length === stored.length && parsed.every((item, index) => item === stored[index]);
}

function append<Item>(lists: Map<string, Item[]>, name: string, item: Item): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [item]);
  else list.push(item);
}
