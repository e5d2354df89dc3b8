import type { Scope } from '../capabilities/capability.js';

/** How far the operator, or a store's record, trusts a plugin. Never taken from the plugin's own manifest. */
export const trustTiers = ['official', 'community', 'unverified'] as const;

/** One of {@link trustTiers}. */
export type TrustTier = (typeof trustTiers)[number];

/** What a rule does: `deny` wins over `confirm`, `confirm` over `allow`. */
export type RuleEffect = 'allow' | 'confirm' | 'deny';

/** Which rule decided, for plans and the audit. Never sent to a plugin. */
export interface RuleReference {
  /** Its place in the document, from 0. */
  readonly index: number;
  /** What the rule does. */
  readonly effect: RuleEffect;
  /** Name of the document, where it came from a file. */
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** The operator's reason, as the document gives it. */
  readonly reason?: string;
}

/** A rule of a policy document, checked. */
export interface PolicyRule extends RuleReference {
  /** The tiers that it applies to; absent = all. */
  readonly trust?: readonly TrustTier[];
  /** Plugin ids, or `author/*` for all of an author; absent = all. */
  readonly plugins?: readonly string[];
  /** A capability's name, or `*` for all. */
  readonly capability: string;
  /** In normal form. Absent where `capability` is `*`: then all that each capability reaches. */
  readonly scope?: Scope;
}

/** Who is judged by a policy. */
export interface PolicySubject {
  /** Id of its manifest; rules select by it. */
  readonly pluginId: string;
  /** As the operator or a store says, never as the manifest does. */
  readonly trust: TrustTier;
}

/** An operator's policy, checked against a catalogue. Made by `parsePolicy`. */
export interface Policy {
  /** In the order of the document, at most 100,000. The order decides nothing: deny wins over confirm, confirm over allow. */
  readonly rules: readonly PolicyRule[];
  /** Where the document came from. */
  readonly fileName?: string;
}

/** The rules of a policy that apply to a plugin, in the order of the document. */
export function rulesFor(policy: Policy, subject: PolicySubject): readonly PolicyRule[] {
  return policy.rules.filter(
    (rule) =>
      (rule.trust === undefined || rule.trust.includes(subject.trust)) &&
      (rule.plugins === undefined || rule.plugins.some((selector) => selects(selector, subject.pluginId))),
  );
}

/** The reference to a rule, without what it selects. */
export function referTo({ index, effect, file, line, reason }: PolicyRule): RuleReference {
  return {
    index,
    effect,
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...(reason === undefined ? {} : { reason }),
  };
}

function selects(selector: string, pluginId: string): boolean {
  return selector === pluginId || selector === '*' || (selector.endsWith('/*') && pluginId.startsWith(selector.slice(0, -1)));
}
