export { attenuate, type Narrower } from './attenuate.js';
export { type CompiledGrants, type CompileGrantsOptions, compileGrants, type IgnoredGrant } from './compile-grants.js';
export { decide } from './decide.js';
export { type Decision, type DecisionCode, decisionCodes } from './decision.js';
export { createGrant, type Grant, type GrantDetails, type GrantSubject, isPinnedTo } from './grant.js';
export { type GrantStore, memoryGrantStore } from './grant-store.js';
export { type ParsePolicyOptions, type PolicyResult, parsePolicy, safeParsePolicy } from './parse-policy.js';
export { type Plan, type PlanCode, type PlanItem, type PlanOptions, plan, planCodes } from './plan.js';
export {
  type Policy,
  type PolicyRule,
  type PolicySubject,
  type RuleEffect,
  type RuleReference,
  rulesFor,
  type TrustTier,
  trustTiers,
} from './policy.js';
export type { PolicyProblem, PolicyProblemCode } from './policy-problem.js';
export type { PolicyDocument, PolicyRuleDocument } from './policy-schema.js';
