import type { Scope } from '../capabilities/capability.js';
import type { RuleReference } from './policy.js';

/** Why `decide` decided so: a closed table, each code with what to do about it. */
export const decisionCodes = {
  GRANTED: 'Nothing; a grant covers the attempt.',
  CONFIRMATION_REQUIRED: 'Confirm or refuse the call; a rule of the policy wants a person to say so each time.',
  NOT_GRANTED: 'If the plugin should have it: request the capability in its manifest and approve it.',
  SCOPE_NOT_GRANTED: 'If the plugin should have it: widen the scope of the request in its manifest and approve it.',
  GRANT_EXPIRED: 'Approve the capability again.',
  DENIED_BY_RULE: 'If the plugin should have it: change the deny rule of the policy; it wins over every grant.',
  INVALID_ATTEMPT: 'Correct the value that the plugin named; it is never granted to anyone.',
  UNKNOWN_CAPABILITY: "Add the capability to the host's catalogue.",
} as const;

/** A code of {@link decisionCodes}. */
export type DecisionCode = keyof typeof decisionCodes;

/** What `decide` says about an attempt. */
export interface Decision {
  /** `confirm`: a grant covers it, and a person must agree to this very use. */
  readonly effect: 'allow' | 'deny' | 'confirm';
  /** Why. For the audit and the operator, whose next action it names. */
  readonly code: DecisionCode;
  /** The capability of the attempt. */
  readonly capability: string;
  /** The scope of the attempt. */
  readonly scope: Scope;
  /** A sentence that may be shown to the plugin: it names what was missing, never a rule or a grant. */
  readonly sentence: string;
  /** Of a denial for want of a grant: the fields that no grant covers, each with the values that were not covered. */
  readonly missing?: Scope;
  /** The grant that allows it; of several the first. For the audit, not for the plugin. */
  readonly grantId?: string;
  /** The rule that denied it or wants a confirmation. For the audit, not for the plugin. */
  readonly rule?: RuleReference;
}
