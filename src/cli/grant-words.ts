import type { Capability, CapabilityCatalogue, Scope } from '../capabilities/capability.js';
import { nearest } from '../errors/nearest.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';

/** What a `--grant` names. */
export interface GrantWord {
  readonly capability: Capability;
  /** In normal form; undefined: as the manifest requests it. */
  readonly scope: Scope | undefined;
}

/**
 * Reads `CAPABILITY[:SCOPE]`. A scope is `FIELD=VALUE,VALUE;FIELD=…`, as in `network.http:hosts=api.example.com;ports=443`; a field that is left out
 * reaches everything, as in a manifest. Of a capability with one field the values alone will do: `events.publish:mail.*`. Before a comma, semicolon,
 * equals sign or backslash that belongs to a value stands a backslash.
 * @throws INVALID_ARGUMENT
 */
export function parseGrantWord(word: string, catalogue: CapabilityCatalogue): GrantWord {
  const colon = word.indexOf(':');
  const name = colon === -1 ? word : word.slice(0, colon);
  const capability = catalogue.get(name);
  if (capability === undefined) {
    const similar = nearest(name, catalogue.names);
    const repair = similar === undefined ? `The capabilities are ${catalogue.names.join(', ')}.` : `Did you mean "${similar}"?`;
    throw invalid(word, `there is no capability "${name}". ${repair}`);
  }
  if (colon === -1) return { capability, scope: undefined };
  const parsed = capability.parseScope(readFields(word, word.slice(colon + 1), capability));
  if ('scope' in parsed) return { capability, scope: parsed.scope };
  throw invalid(word, parsed.problems.map(({ path, message }) => (path.length === 0 ? message : `${path[0]}: ${message}`)).join(' '));
}

/** The word that {@link parseGrantWord} reads as this scope of the capability, without quotes for a shell. */
export function grantWord(name: string, scope: Scope, capability: Capability | undefined): string {
  const fields = Object.entries(scope);
  // What a field leaves open need not be said, as long as something is: a word without a scope means something else.
  const limited = fields.filter(([field, values]) => {
    const everything = capability?.scope[field]?.everything;
    return everything === undefined || !values.includes(everything);
  });
  const said = limited.length > 0 ? limited : fields.slice(0, 1);
  const text = said.map(([field, values]) => `${field}=${values.map(escapeValue).join(',')}`).join(';');
  return text === '' ? name : `${name}:${text}`;
}

/** A word as a POSIX shell takes it. */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function readFields(word: string, text: string, capability: Capability): Record<string, readonly string[]> {
  const names = Object.keys(capability.scope);
  const form = names.map((name) => `${name}=…`).join(';');
  const raw = new Map<string, readonly string[]>();
  for (const part of splitAt(text, ';')) {
    const [left = '', right, ...more] = splitAt(part, '=');
    const [only] = names;
    if (more.length > 0) throw invalid(word, 'in a value a backslash stands before an equals sign.');
    if (right === undefined && (names.length !== 1 || only === undefined)) {
      throw invalid(
        word,
        names.length === 0 ? `${capability.name} has no scope; leave it out.` : `name the fields of the scope: ${capability.name}:${form}`,
      );
    }
    const field = right === undefined ? (only as string) : withoutEscapes(left);
    if (raw.has(field)) throw invalid(word, `the field "${field}" stands there twice; list its values: ${field}=…,…`);
    raw.set(field, splitAt(right ?? left, ',').map(withoutEscapes));
  }
  return Object.fromEntries(raw);
}

/** Splits at a character, except after a backslash. The escapes stay. */
function splitAt(text: string, separator: string): string[] {
  const parts = [''];
  let escaped = false;
  for (const character of text) {
    if (character === separator && !escaped) parts.push('');
    else parts[parts.length - 1] += character;
    escaped = character === '\\' && !escaped;
  }
  return parts;
}

function withoutEscapes(text: string): string {
  return text.replace(/\\(.)/gsu, '$1');
}

function escapeValue(value: string): string {
  return value.replace(/[\\,;=]/g, '\\$&');
}

function invalid(word: string, message: string): WorkerRuntimeError {
  return new WorkerRuntimeError('INVALID_ARGUMENT', `--grant ${shellQuote(word)}: ${message}`);
}
