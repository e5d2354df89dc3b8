import type { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Problem } from '../manifest/problem.js';
import type { PlanItem } from '../policy/plan.js';
import { grantWord, shellQuote } from './grant-words.js';
import { toJsonText } from './json-text.js';
import type { Denial, OpenRequests, ReportedLine, RunReport } from './run-report.js';
import type { Terminal } from './terminal.js';
import { problemLine } from './validate.js';

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
    withoutOptional(open) {
      for (const item of open.items) note(`not granted, but optional: ${describeItem(item)}`);
      noteGrants(open);
    },
    streaming() {},
    item: (value) => terminal.printJson(value),
    result: (value) => terminal.printJson(value),
    failure(error, { open, hint }) {
      note(`error: ${error.code}: ${error.message}`);
      if (hint !== undefined) note(hint);
      if (open === undefined) noteDetails(error);
      else {
        note('The plugin requests:');
        for (const item of open.items) note(`  ${describeItem(item)}`);
        noteGrants(open);
      }
      noteReason(error);
    },
    end: async () => {},
  };

  function noteGrants({ grants }: OpenRequests): void {
    if (grants.length > 0) note(`To allow it: ${grants.map((word) => `--grant ${shellQuote(word)}`).join(' ')}`);
  }

  function noteDetails({ handlerCode, mayHaveRun, details }: WorkerRuntimeError): void {
    if (handlerCode !== undefined) note(`  the plugin's own code: ${handlerCode}`);
    if (mayHaveRun === true) note('  the call may have had an effect');
    const { problems, ...facts } = details;
    if (Array.isArray(problems)) for (const problem of problems) note(`  ${describeProblem(problem)}`);
    if (Object.keys(facts).length > 0) note(`  ${toJsonText(facts)}`);
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

/** Of a manifest or policy with a place in the text, of a configuration with a pointer. */
function describeProblem(problem: Partial<Problem>): string {
  const { line, column, severity = 'error', code = '', path = '', message = '' } = problem;
  if (line !== undefined && column !== undefined)
    return problemLine('', { line, column, severity, code: code as Problem['code'], path, message }).slice(1);
  return `${path === '' ? '' : `${path} `}${severity} ${code} ${message}`;
}
