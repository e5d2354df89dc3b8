import { z } from 'zod';
import { type TrustTier, trustTiers } from './policy.js';

/** The most rules of a document. */
export const maxPolicyRules = 100_000;

const capabilityName = 'Write the name of a capability, or "*" for all.';
const pluginSelector = /^(?:\*|[a-z0-9][a-z0-9-]{0,63}(?:\/(?:\*|[a-z0-9][a-z0-9-]{0,63}))?)$/;

/** A map as YAML or JSON makes it. Its keys are left for `parseScope` to judge: no key, not even `__proto__`, may get lost on the way. */
const scopeMap = z.custom<Readonly<Record<string, unknown>>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
  error: 'A scope is a map of fields, each with a list of patterns. Leave it out for all that the capability reaches.',
});

const rule = z.strictObject(
  {
    effect: z.enum(['allow', 'deny', 'confirm'], { error: 'The effect of a rule is allow, deny or confirm.' }),
    trust: z
      .array(z.enum(trustTiers, { error: `A trust tier is ${trustTiers.slice(0, -1).join(', ')} or ${trustTiers.at(-1)}.` }), {
        error: 'Write trust as a list of tiers.',
      })
      .min(1, { error: 'The list is empty, so the rule would never apply. Leave trust out for all tiers.' })
      .optional(),
    plugins: z
      .array(
        z.string({ error: 'A plugin is named by its id.' }).regex(pluginSelector, { error: 'Write the id of a plugin, or "author/*", or "*".' }),
        {
          error: 'Write plugins as a list of ids.',
        },
      )
      .min(1, { error: 'The list is empty, so the rule would never apply. Leave plugins out for all plugins.' })
      .max(1_000, { error: 'A rule names at most 1,000 plugins.' })
      .optional(),
    capability: z.string({ error: capabilityName }).min(1, { error: capabilityName }),
    scope: scopeMap.optional(),
    reason: z.string({ error: 'A reason is a text.' }).max(1_000, { error: 'A reason has at most 1,000 characters.' }).optional(),
  },
  { error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : 'A rule is a map with effect and capability.') },
);

/** The form of a policy document, but for what depends on the catalogue. */
export const policySchema = z.strictObject(
  {
    version: z.literal(1, { error: 'Write `version: 1`; this is the only version so far.' }),
    rules: z
      .array(rule, { error: 'Write rules as a list.' })
      .max(maxPolicyRules, { error: `A policy has at most ${maxPolicyRules} rules.` })
      .default([]),
  },
  { error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : 'A policy is a map with version and rules.') },
);

/** The keys of the document and of a rule, for suggestions. */
export const policyKeys = { document: Object.keys(policySchema.shape), rule: Object.keys(rule.shape) };

/** A rule of a policy document as YAML, JSON or TypeScript write it. */
export interface PolicyRuleDocument {
  /** `deny` wins over `confirm`, `confirm` over `allow`. */
  readonly effect: 'allow' | 'deny' | 'confirm';
  /** The tiers that it applies to; absent = all. */
  readonly trust?: readonly TrustTier[] | undefined;
  /** Plugin ids, or `author/*` for all of an author; absent = all. At most 1,000. */
  readonly plugins?: readonly string[] | undefined;
  /** A capability's name, or `*` for all. */
  readonly capability: string;
  /** Patterns by field of the capability's scope; a field that is left out, or no scope at all, means everything. */
  readonly scope?: Readonly<Record<string, unknown>> | undefined;
  /** The operator's reason; at most 1,000 characters. */
  readonly reason?: string | undefined;
}

/** A policy document as YAML, JSON or TypeScript write it. */
export interface PolicyDocument {
  /** The only version so far. */
  readonly version: 1;
  /** At most 100,000. */
  readonly rules?: readonly PolicyRuleDocument[] | undefined;
}
