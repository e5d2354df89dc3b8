import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { otherReading } from './nil-reading.js';
import type { SchemaOutput, StandardSchema, StandardSchemaIssue, StandardSchemaResult } from './standard-schema.js';

const maxIssues = 32;
const maxIssuesInSentence = 3;
const maxIssueMessageLength = 300;
const maxPathKeys = 32;
const maxPathKeyLength = 100;

/** What is validated, for the error that says that it is not acceptable. */
export interface Subject {
  /** Of the error. */
  readonly code: 'INVALID_PARAMS' | 'INVALID_RESULT';
  /** Begins the sentence: `The params of "summarize"`. */
  readonly what: string;
  /** Ends the sentence: what to do about it. */
  readonly repair: string;
  /** Whether the call may have had an effect; undefined at the callee, which tells its caller what happened anyway. */
  readonly mayHaveRun?: boolean;
}

/**
 * Validates a value that came from or goes to the wire. Where it is refused because of a nil, it is tried once more with that left out: absent,
 * `undefined` and nil are one value on the wire.
 *
 * @returns what comes out of the schema; a promise of it only if the validator is asynchronous.
 * @throws (or rejects with) the code of the subject; `details.issues` is a list of `{ path, message }`.
 */
export function validate<Schema extends StandardSchema>(
  schema: Schema,
  value: unknown,
  subject: Subject,
): SchemaOutput<Schema> | Promise<SchemaOutput<Schema>> {
  const first = run(schema, value ?? undefined, subject);
  if (first instanceof Promise) return validateLater(schema, value, subject, first);
  if (first.issues === undefined) return first.value;
  const other = otherReading(value, first.issues);
  if (other === undefined) throw refusal(subject, first.issues);
  const second = run(schema, other.value, subject);
  if (second instanceof Promise) return guarded(second, subject).then((outcome) => settle(outcome, first.issues, subject));
  return settle(second, first.issues, subject);
}

async function validateLater<Schema extends StandardSchema>(
  schema: Schema,
  value: unknown,
  subject: Subject,
  pending: Promise<StandardSchemaResult<unknown>>,
): Promise<SchemaOutput<Schema>> {
  const first = await guarded(pending, subject);
  if (first.issues === undefined) return first.value;
  const other = otherReading(value, first.issues);
  if (other === undefined) throw refusal(subject, first.issues);
  return settle(await guarded(Promise.resolve(run(schema, other.value, subject)), subject), first.issues, subject);
}

/** The issues of the first reading tell more: they are about the value as it was given. */
function settle<Output>(outcome: StandardSchemaResult<Output>, issues: readonly StandardSchemaIssue[], subject: Subject): Output {
  if (outcome.issues === undefined) return outcome.value;
  throw refusal(subject, issues);
}

function run(schema: StandardSchema, value: unknown, subject: Subject): StandardSchemaResult<unknown> | Promise<StandardSchemaResult<unknown>> {
  try {
    return schema['~standard'].validate(value);
  } catch (error) {
    throw brokenValidator(subject, error);
  }
}

async function guarded<T>(pending: Promise<T>, subject: Subject): Promise<T> {
  try {
    return await pending;
  } catch (error) {
    throw brokenValidator(subject, error);
  }
}

function brokenValidator(subject: Subject, cause: unknown): WorkerRuntimeError {
  // Nothing that was not validated may pass, whoever is to blame.
  return new WorkerRuntimeError(
    subject.code,
    `${subject.what} could not be validated: the validator itself failed. Repair the schema of the contract.`,
    {
      cause,
      ...(subject.mayHaveRun === undefined ? {} : { mayHaveRun: subject.mayHaveRun }),
    },
  );
}

function refusal(subject: Subject, found: readonly StandardSchemaIssue[]): WorkerRuntimeError {
  const issues = found.slice(0, maxIssues).map((issue) => ({ path: pathOf(issue), message: cut(issue.message, maxIssueMessageLength) }));
  const named = issues.slice(0, maxIssuesInSentence).map(({ path, message }) => (path.length === 0 ? message : `${pathText(path)}: ${message}`));
  const more = found.length - named.length;
  return new WorkerRuntimeError(
    subject.code,
    `${subject.what} did not fit the schema${named.length === 0 ? '' : `: ${named.join('; ')}`}${more > 0 ? `; and ${more} more` : ''}. ${subject.repair}`,
    { details: { issues }, ...(subject.mayHaveRun === undefined ? {} : { mayHaveRun: subject.mayHaveRun }) },
  );
}

function pathOf(issue: StandardSchemaIssue): readonly (string | number)[] {
  return (issue.path ?? []).slice(0, maxPathKeys).map((part) => {
    const key = typeof part === 'object' ? part.key : part;
    return typeof key === 'number' ? key : cut(String(key), maxPathKeyLength);
  });
}

function pathText(path: readonly (string | number)[]): string {
  let text = '';
  for (const key of path) text += typeof key === 'number' ? `[${key}]` : text === '' ? key : `.${key}`;
  return text;
}

/** Cuts between whole characters, since half of one cannot be sent. */
function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
