import type { CapabilityCatalogue, Scope } from '../capabilities/capability.js';
import { nearest } from '../errors/nearest.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Policy, PolicyRule } from './policy.js';
import { type PolicyProblem, type PolicyProblemCode, toPointer } from './policy-problem.js';
import { policyKeys, policySchema } from './policy-schema.js';

/** What a policy document is read with. */
export interface ParsePolicyOptions {
  /** The capabilities that rules may name. */
  readonly catalogue: CapabilityCatalogue;
  /** The document's file, for plans and the audit. */
  readonly fileName?: string;
  /** Where the value at a JSON Pointer stands in the text, 1-based: the reader of the YAML or JSON text knows. */
  readonly locate?: (pointer: string) => { readonly line: number; readonly column: number } | undefined;
}

/** The outcome of {@link safeParsePolicy}. */
export type PolicyResult = { readonly valid: true; readonly policy: Policy } | { readonly valid: false; readonly problems: readonly PolicyProblem[] };

/** The most problems that are reported of one document. */
const maxProblems = 100;

/**
 * Checks a policy document: a value of the form of {@link PolicyDocument}, as read from YAML or JSON, or written in
 * TypeScript. Reports all problems at once, at most 100.
 * @throws INVALID_POLICY with `details.problems` (see {@link PolicyProblem}).
 */
export function parsePolicy(document: unknown, options: ParsePolicyOptions): Policy {
  const result = safeParsePolicy(document, options);
  if (result.valid) return result.policy;
  const [first] = result.problems;
  const where = first?.line === undefined ? (first?.path ?? '') : `line ${first.line}`;
  const more = result.problems.length > 1 ? ` (and ${result.problems.length - 1} more)` : '';
  throw new WorkerRuntimeError(
    'INVALID_POLICY',
    `${options.fileName ?? 'The policy'}${where === '' ? '' : `, ${where}`}: ${first?.message ?? ''}${more}`,
    {
      details: { problems: result.problems },
    },
  );
}

/** Checks a policy document like {@link parsePolicy}, without throwing. */
export function safeParsePolicy(document: unknown, options: ParsePolicyOptions): PolicyResult {
  const problems: PolicyProblem[] = [];
  function report(code: PolicyProblemCode, path: readonly PropertyKey[], message: string): void {
    if (problems.length >= maxProblems) return;
    const pointer = toPointer(path);
    problems.push({ severity: 'error', code, path: pointer, ...options.locate?.(pointer), message });
  }

  const parsed = policySchema.safeParse(document);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      if (issue.code !== 'unrecognized_keys') report('INVALID_FORM', issue.path, issue.message);
      else for (const key of issue.keys) report('UNKNOWN_FIELD', [...issue.path, key], unknownField(key, issue.path.length === 0));
    }
    return { valid: false, problems };
  }

  const rules: PolicyRule[] = [];
  for (const [index, { capability, scope: rawScope, ...rest }] of parsed.data.rules.entries()) {
    const scope = readScope(capability, rawScope, options.catalogue, (code, path, message) => report(code, ['rules', index, ...path], message));
    const line = options.locate?.(`/rules/${index}`)?.line;
    const { effect, trust, plugins, reason } = rest;
    rules.push({
      index,
      effect,
      capability,
      ...(scope === undefined ? {} : { scope }),
      ...(trust === undefined ? {} : { trust }),
      ...(plugins === undefined ? {} : { plugins }),
      ...(reason === undefined ? {} : { reason }),
      ...(options.fileName === undefined ? {} : { file: options.fileName }),
      ...(line === undefined ? {} : { line }),
    });
  }
  if (problems.length > 0) return { valid: false, problems };
  return { valid: true, policy: { rules, ...(options.fileName === undefined ? {} : { fileName: options.fileName }) } };
}

type Report = (code: PolicyProblemCode, path: readonly PropertyKey[], message: string) => void;

function readScope(
  name: string,
  raw: Readonly<Record<string, unknown>> | undefined,
  catalogue: CapabilityCatalogue,
  report: Report,
): Scope | undefined {
  if (name === '*') {
    if (raw !== undefined) report('INVALID_SCOPE', ['scope'], 'A rule for all capabilities has no scope: their fields differ. Name a capability.');
    return undefined;
  }
  const capability = catalogue.get(name);
  if (capability === undefined) {
    const suggestion = nearest(name, catalogue.names);
    const repair = suggestion === undefined ? `The capabilities are ${catalogue.names.join(', ')}.` : `Did you mean ${suggestion}?`;
    report('UNKNOWN_CAPABILITY', ['capability'], `There is no capability ${JSON.stringify(name.slice(0, 128))}. ${repair}`);
    return undefined;
  }
  const parsed = capability.parseScope(raw ?? {});
  if ('scope' in parsed) return parsed.scope;
  for (const problem of parsed.problems) report('INVALID_SCOPE', ['scope', ...problem.path], problem.message);
  return undefined;
}

function unknownField(key: string, atDocument: boolean): string {
  const keys = atDocument ? policyKeys.document : policyKeys.rule;
  const suggestion = nearest(key, keys);
  return suggestion === undefined
    ? `There is no such field; the fields are ${keys.join(', ')}.`
    : `There is no such field. Did you mean ${suggestion}?`;
}
