import { isWorkerRuntimeError, type Plan, type Plugin } from '@synapse/worker-runtime';

/** Starts a plugin; what the policy leaves open is put to a person. */
export async function startWithApproval(plugin: Plugin, ask: (plan: Plan) => Promise<{ readonly approvedBy: string } | undefined>): Promise<void> {
  try {
    await plugin.start();
  } catch (error) {
    if (!isWorkerRuntimeError(error, 'APPROVAL_REQUIRED')) throw error;
    const plan = error.details.plan as Plan;
    const answer = await ask(plan);
    if (answer === undefined) throw error;
    await plugin.approve({
      by: answer.approvedBy,
      // What was shown, and nothing else.
      items: plan.items.filter(({ outcome }) => outcome === 'needs-approval'),
      reason: 'asked when it was started',
    });
    await plugin.start();
  }
}

/** A plan for the eyes of an operator. */
export function describePlan({ pluginId, items }: Plan): string {
  const lines = items.map(
    ({ request, outcome, explanation, risk, sentence }) =>
      `  ${outcome}: to ${sentence} (risk: ${risk}). ${explanation} It says: ${request.reason ?? 'nothing'}`,
  );
  return [`${pluginId} asks to be allowed`, ...lines].join('\n');
}
