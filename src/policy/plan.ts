import type { Capability, CapabilityCatalogue, CapabilityRequest, Risk, Scope } from '../capabilities/capability.js';
import { coversScope, everythingOf, overlapsScope } from '../capabilities/scope-algebra.js';
import { quote } from '../capabilities/text-rules.js';
import { expiryOf, type Grant } from './grant.js';
import { type Policy, type PolicyRule, type PolicySubject, type RuleReference, referTo, rulesFor } from './policy.js';

/** Why an item of a plan has its outcome: a closed table, each code with a sentence for the operator. */
export const planCodes = {
  ALLOWED_BY_RULE: 'The policy grants it.',
  APPROVED: 'It was approved for this version.',
  DENIED_BY_RULE: 'The policy denies it; no approval changes that.',
  PARTLY_DENIED: 'The policy denies a part of it, so it is not granted by itself. If you approve it, that part stays denied.',
  NOT_COVERED: 'No rule of the policy grants all of it.',
  ALWAYS_NEEDS_APPROVAL: 'It is so broad that only a person may grant it.',
  UNKNOWN_CAPABILITY: 'This host has no such capability.',
  NOT_OFFERED: 'This host offers nothing behind it, so that granting it would promise what nobody enforces.',
} as const;

/** A code of {@link planCodes}. */
export type PlanCode = keyof typeof planCodes;

/** What becomes of one request of a manifest. */
export interface PlanItem {
  /** The request as the manifest makes it. */
  readonly request: CapabilityRequest;
  /** Of the whole request; nothing is granted in part. */
  readonly outcome: 'granted' | 'denied' | 'needs-approval';
  /** Why it has this outcome. Match on it; never on the explanation. */
  readonly code: PlanCode;
  /** Why, as a sentence. */
  readonly explanation: string;
  /** The rule that decided; of several that grant it together the first. */
  readonly rule?: RuleReference;
  /** The approvals that cover it, if the outcome rests on them. */
  readonly grantIds?: readonly string[];
  /** What it allows, as a sentence for the operator. */
  readonly sentence: string;
  /** That of the capability; `high` for one that the host does not know. */
  readonly risk: Risk;
  /** Whether the plugin can do without it. A denied optional request does not keep it from starting. */
  readonly optional: boolean;
  /** Whether no allow rule may grant it, only a person. */
  readonly alwaysNeedsApproval: boolean;
  /** Whether a rule wants a confirmation for some or all of its uses. */
  readonly confirm: boolean;
}

/** What a policy makes of a plugin's requests. */
export interface Plan extends PolicySubject {
  /** One for each request, in the order of the manifest. */
  readonly items: readonly PlanItem[];
  /** `denied` if a request that is not optional is denied, else `needs-approval` if one awaits approval, else `ready`. */
  readonly status: 'ready' | 'needs-approval' | 'denied';
}

/** What a plan is made with. */
export interface PlanOptions extends PolicySubject {
  /** Its rules for the plugin and its trust tier decide. */
  readonly policy: Policy;
  /** A request for a capability that it lacks is denied. */
  readonly catalogue: CapabilityCatalogue;
  /** Names of the capabilities that guard something in this host; a request for another is denied. Default all of the catalogue. */
  readonly offered?: ReadonlySet<string>;
  /** Approvals for the very version of the plugin that is planned (`isPinnedTo`). Default none. */
  readonly grants?: readonly Grant[];
  /** Wall-clock milliseconds since the epoch, for the expiry of `grants`. Default: none of them has expired. */
  readonly nowMs?: number;
}

/**
 * Says of each request whether it is granted, denied or needs approval, and by which rule. Nothing is granted by default.
 *
 * 1. A request that the host does not offer, or that deny rules cover entirely, is denied, also against an approval.
 * 2. One that approvals cover is granted.
 * 3. One that a deny rule touches in part, or that always needs approval, needs approval.
 * 4. One that allow and confirm rules cover entirely is granted (as by {@link coversScope}: each combination of patterns by one rule).
 * 5. All else needs approval, as a whole: a request is never granted in part.
 */
export function plan(requests: readonly CapabilityRequest[], options: PlanOptions): Plan {
  const rules = rulesFor(options.policy, options);
  const nowMs = options.nowMs ?? Number.NEGATIVE_INFINITY;
  const grants = (options.grants ?? []).filter((grant) => grant.pluginId === options.pluginId && nowMs < expiryOf(grant));
  const items = requests.map((request) => {
    const capability = options.catalogue.get(request.capability);
    if (capability === undefined) return unknownItem(request);
    return planItem(request, capability, { rules, grants, offered: options.offered?.has(request.capability) ?? true });
  });
  const required = items.filter((item) => !item.optional);
  const status = required.some((item) => item.outcome === 'denied')
    ? 'denied'
    : required.some((item) => item.outcome === 'needs-approval')
      ? 'needs-approval'
      : 'ready';
  return { pluginId: options.pluginId, trust: options.trust, items, status };
}

interface Authority {
  readonly rules: readonly PolicyRule[];
  readonly grants: readonly Grant[];
  readonly offered: boolean;
}

function planItem(request: CapabilityRequest, capability: Capability, { rules, grants, offered }: Authority): PlanItem {
  const everything = everythingOf(capability);
  const touching = rules
    .filter((rule) => rule.capability === capability.name || rule.capability === '*')
    .map((rule) => ({ rule, scope: rule.scope ?? everything }))
    .filter(({ scope }) => overlapsScope(capability, scope, request.scope));
  const denying = touching.filter(({ rule }) => rule.effect === 'deny');
  const granting = touching.filter(({ rule }) => rule.effect !== 'deny');
  const approvals = grants.filter((grant) => grant.capability === capability.name && overlapsScope(capability, grant.scope, request.scope));
  const confirm = touching.some(({ rule }) => rule.effect === 'confirm');

  function item(outcome: PlanItem['outcome'], code: PlanCode, more: Pick<PlanItem, 'rule' | 'grantIds'> = {}): PlanItem {
    return {
      ...common(request),
      outcome,
      code,
      explanation: planCodes[code],
      ...more,
      sentence: capability.describe(request.scope),
      risk: capability.risk,
      confirm,
    };
  }
  if (!offered) return item('denied', 'NOT_OFFERED');
  if (covers(capability, denying, request.scope)) return item('denied', 'DENIED_BY_RULE', firstRule(capability, denying, request.scope));
  if (covers(capability, approvals, request.scope)) return item('granted', 'APPROVED', { grantIds: approvals.map((grant) => grant.id) });
  if (denying.length > 0) return item('needs-approval', 'PARTLY_DENIED', firstRule(capability, denying, request.scope));
  if (request.alwaysNeedsApproval === true) return item('needs-approval', 'ALWAYS_NEEDS_APPROVAL');
  if (covers(capability, granting, request.scope)) return item('granted', 'ALLOWED_BY_RULE', firstRule(capability, granting, request.scope));
  return item('needs-approval', 'NOT_COVERED');
}

function unknownItem(request: CapabilityRequest): PlanItem {
  const code = 'UNKNOWN_CAPABILITY';
  const sentence = `use ${quote(request.capability)}, which this host does not know`;
  return { ...common(request), outcome: 'denied', code, explanation: planCodes[code], sentence, risk: 'high', confirm: false };
}

function common(request: CapabilityRequest): Pick<PlanItem, 'request' | 'optional' | 'alwaysNeedsApproval'> {
  return { request, optional: request.optional, alwaysNeedsApproval: request.alwaysNeedsApproval === true };
}

function covers(capability: Capability, outer: readonly { readonly scope: Scope }[], inner: Scope): boolean {
  return (
    outer.length > 0 &&
    coversScope(
      capability,
      outer.map(({ scope }) => scope),
      inner,
    )
  );
}

/** The first rule that covers the scope alone, or else the first that touches it. */
function firstRule(
  capability: Capability,
  rules: readonly { readonly rule: PolicyRule; readonly scope: Scope }[],
  scope: Scope,
): { rule?: RuleReference } {
  const first = rules.find((candidate) => coversScope(capability, [candidate.scope], scope)) ?? rules[0];
  return first === undefined ? {} : { rule: referTo(first.rule) };
}
