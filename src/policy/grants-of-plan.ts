import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { createGrant, type Grant, type GrantSubject } from './grant.js';
import type { Plan } from './plan.js';

/** What the grants of a plan are made with. */
export interface GrantsOfPlanOptions {
  /** The very version of the plugin that was planned. */
  readonly subject: GrantSubject;
  /** Makes a new id for each grant. */
  readonly nextId: () => string;
  /** ISO 8601 time. */
  readonly grantedAt: string;
}

/**
 * The grants that the rules of the policy give by a plan: one for each request that a rule granted, none for those that
 * rest on approvals (which are grants already) or await one. They are not for a store; see `GrantStore`.
 * @throws INVALID_ARGUMENT if the subject is another plugin than the plan's.
 */
export function grantsOfPlan(plan: Plan, { subject, nextId, grantedAt }: GrantsOfPlanOptions): readonly Grant[] {
  if (plan.pluginId !== subject.pluginId) {
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `The plan is for the plugin ${plan.pluginId}, not for ${subject.pluginId}.`);
  }
  return plan.items
    .filter((item) => item.outcome === 'granted' && item.code === 'ALLOWED_BY_RULE')
    .map(({ request, rule }) => createGrant(request, subject, { id: nextId(), by: 'policy', grantedAt, ...(rule === undefined ? {} : { rule }) }));
}
