import type { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { ConfigProblem } from '../manifest/config-value.js';
import type { Problem } from '../manifest/problem.js';
import type { PlanItem } from '../policy/plan.js';
import { grantWord, shellQuote } from './grant-words.js';
import { toJsonText } from './json-text.js';
import type { Denial, ReportedLine, RunReport, ShownPlan } from './run-report.js';
import type { Terminal } from './terminal.js';
import { problemText } from './validate.js';

/** How many of the last lines on standard error are shown again where a worker died. */
const shownTailLines = 20;

/** A report for people: items and result on standard output, a line of JSON each; everything else on standard error as it happens. */
export function readableReport(terminal: Terminal): RunReport {
  const { note } = terminal;
  return {
    line: (line) => note(describeLine(line)),
    denial: (denial) => note(describeDenial(denial)),
    progress(fraction, message) {
      const share = fraction === undefined ? '' : ` ${Math.round(fraction * 100)} %`;
      note(`progress:${share}${message === undefined ? '' : ` ${message}`}`);
    },
    routed: (message) => note(`message: ${toJsonText(message)}`),
    started(plan) {
      const open = plan.items.filter(({ outcome }) => outcome !== 'granted');
      for (const item of open) note(`goes without: ${describeItem(item)}`);
      noteGrants(plan);
    },
    streaming() {},
    item: (value) => terminal.printJson(value),
    result: (value) => terminal.printJson(value),
    failure(error, { plan, hint, isLocal }) {
      note(`error: ${error.code}: ${error.message}`);
      if (hint !== undefined) note(hint);
      if (plan === undefined) {
        noteDetails(error, isLocal);
        noteReason(error);
        return;
      }
      note('what the plugin requests:');
      for (const item of plan.items) note(`  ${describeItem(item)}`);
      noteGrants(plan);
    },
    end: async () => {},
  };

  function noteGrants({ grants, optionalGrants }: ShownPlan): void {
    if (grants.length > 0) note(`to allow it: ${grants.map(grantOption).join(' ')}`);
    if (optionalGrants.length > 0) note(`to allow what is optional: ${optionalGrants.map(grantOption).join(' ')}`);
  }

  function noteDetails({ handlerCode, mayHaveRun, details }: WorkerRuntimeError, isLocal: boolean): void {
    if (handlerCode !== undefined) note(`  the plugin's own code: ${handlerCode}`);
    if (mayHaveRun === true) note('  the call may have had an effect');
    if (isLocal && Array.isArray(details.problems)) for (const problem of details.problems) note(`  ${describeProblem(problem)}`);
    else if (Object.keys(details).length > 0) note(`  ${toJsonText(details)}`);
  }

  function noteReason({ reason }: WorkerRuntimeError): void {
    if (reason === undefined) return;
    note(`reason: ${reason.code}: ${reason.message}`);
    note(`next: ${reason.action}`);
    if (reason.stderrTail === '') return;
    note('the last lines of its standard error:');
    for (const line of reason.stderrTail.split('\n').slice(-shownTailLines)) note(`  | ${line}`);
  }
}

function grantOption(word: string): string {
  return `--grant ${shellQuote(word)}`;
}

function describeLine({ source, level, message, fields }: ReportedLine): string {
  const head = source === 'stdout' || source === 'stderr' ? source : `${source} ${level}`;
  return `${head}: ${message}${Object.keys(fields).length === 0 ? '' : ` ${toJsonText(fields)}`}`;
}

function describeDenial({ effect, capability, missing, method, reason, rule, decisionId }: Denial): string {
  const what = effect === 'confirm' ? 'not confirmed' : 'denied';
  const by = rule === undefined ? '' : `, by ${rule}`;
  return `${what}: ${grantWord(capability, missing, undefined)} (${method}${by}; decision ${decisionId}): ${reason}`;
}

/** `needs approval, medium risk: publish events: mail.sent (optional; by policy.yml:3). No rule of the policy grants all of it.` */
function describeItem({ outcome, risk, sentence, optional, rule, confirm, explanation, request }: PlanItem): string {
  const by =
    rule === undefined
      ? undefined
      : `by ${rule.file ?? 'policy'}:${rule.line ?? `rule ${rule.index}`}${rule.reason === undefined ? '' : `, "${rule.reason}"`}`;
  const asides = [optional ? 'optional' : undefined, confirm ? 'each use wants a confirmation' : undefined, by].filter(
    (aside) => aside !== undefined,
  );
  const why = request.reason === undefined ? '' : ` Its author says: ${request.reason}`;
  return `${outcome.replace('-', ' ')}, ${risk} risk: ${sentence}${asides.length === 0 ? '' : ` (${asides.join('; ')})`}. ${explanation}${why}`;
}

/** Of a manifest or policy with a place in the text; of a configuration with a pointer, and always an error. */
function describeProblem(problem: Problem | ConfigProblem): string {
  return 'line' in problem ? problemText(problem) : `${problem.path} error ${problem.code} ${problem.message}`;
}
