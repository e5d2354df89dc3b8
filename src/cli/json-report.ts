import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { toJsonText } from './json-text.js';
import type { Denial, ReportedLine, RunReport, ShownPlan } from './run-report.js';
import type { Terminal } from './terminal.js';

/** Log lines that are kept, the newest; characters of all of them, as JSON. */
const maxLines = 10_000;
const maxLinesLength = 8 * 1024 * 1024;
/** Denials that are kept, the oldest: what a plugin lacks shows at the beginning. */
const maxDenials = 10_000;
/** Characters of all items of a stream, as JSON. */
const maxItemsLength = 64 * 1024 * 1024;

/**
 * A report for programs: exactly one object `{ ok, result?, items?, error?, denials, logs }` on standard output, at the end. What is gathered until
 * then is bounded, since a plugin decides how much that is: of the log the oldest lines are left out, a stream that is too long is given up.
 */
export function jsonReport(terminal: Terminal): RunReport {
  const logs = new NewestLines();
  const denials: object[] = [];
  let items: unknown[] | undefined;
  let itemsLength = 0;
  let outcome: object = {};
  return {
    line: (line) => logs.add(line),
    denial(denial) {
      if (denials.length < maxDenials) denials.push(denialFields(denial));
    },
    progress() {},
    routed: (message) => terminal.note(`message: ${toJsonText(message)}`),
    started() {},
    streaming() {
      items = [];
    },
    async item(value) {
      itemsLength += toJsonText(value).length;
      if (itemsLength > maxItemsLength) {
        throw new WorkerRuntimeError(
          'QUOTA_EXCEEDED',
          `The stream has more than ${maxItemsLength} characters of items; run it without --json, which prints each as it arrives.`,
        );
      }
      items?.push(value);
    },
    async result(value) {
      outcome = { ok: true, result: value };
    },
    failure(error, { plan }) {
      outcome = { ok: false, error: errorFields(error, plan) };
    },
    end: () => terminal.printJson({ ...outcome, ...(items === undefined ? {} : { items }), denials, logs: logs.toArray() }),
  };
}

/** The lines that were added last, as many as fit. */
class NewestLines {
  readonly #lines: { readonly line: ReportedLine; readonly length: number }[] = [];
  #first = 0;
  #length = 0;
  #dropped = 0;

  add(line: ReportedLine): void {
    const { level, source, message, fields } = line;
    const length = message.length + toJsonText(fields).length;
    this.#lines.push({ line: { level, source, message, fields }, length });
    this.#length += length;
    while (this.#lines.length - this.#first > maxLines || this.#length > maxLinesLength)
      this.#length -= (this.#lines[this.#first++] as { length: number }).length;
    // Seldom, so that a line does not cost a shift.
    if (this.#first > maxLines) this.#dropHead();
  }

  toArray(): readonly ReportedLine[] {
    const kept = this.#lines.slice(this.#first).map(({ line }) => line);
    if (this.#dropped + this.#first === 0) return kept;
    const message = `${this.#dropped + this.#first} older lines are left out.`;
    return [{ level: 'warn', source: 'host', message, fields: {} }, ...kept];
  }

  #dropHead(): void {
    this.#dropped += this.#first;
    this.#lines.splice(0, this.#first);
    this.#first = 0;
  }
}

function denialFields({ effect, capability, missing, method, decisionId, reason, rule }: Denial): object {
  return { effect, capability, scope: missing, method, decisionId, reason, rule: rule ?? null };
}

/** `details.grants` and `details.optionalGrants`: the words for `--grant` that would allow what is missing. */
function errorFields(
  { code, message, retryable, mayHaveRun, handlerCode, details, reason }: WorkerRuntimeError,
  plan: ShownPlan | undefined,
): object {
  const facts = plan === undefined ? details : { ...details, grants: plan.grants, optionalGrants: plan.optionalGrants };
  return {
    code,
    message,
    retryable,
    ...(mayHaveRun === undefined ? {} : { mayHaveRun }),
    ...(handlerCode === undefined ? {} : { handlerCode }),
    ...(Object.keys(facts).length === 0 ? {} : { details: facts }),
    ...(reason === undefined ? {} : { reason }),
  };
}
