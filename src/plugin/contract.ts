import { nearest } from '../errors/nearest.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { StandardSchema } from './standard-schema.js';

/** Names that start like this belong to the runtime (docs/protocol.md, section 11). */
const reservedPrefixes = ['plugin.', 'events.', 'grants.'];
/** What a method may be called on the wire (docs/protocol.md, section 3). */
const namePattern = /^[A-Za-z_][A-Za-z0-9_./-]{0,255}$/;
const maxTimeoutMs = 2 ** 31 - 1;

/** What a contract says about a method. Every field may be left out; without a schema a value is passed on unchecked, as `unknown`. */
export interface MethodContract {
  /** Validator of the params. On the wire goes what was given to it; the handler receives what comes out of it. */
  readonly params?: StandardSchema;
  /** Validator of the result. On the wire goes what the handler returned; the caller receives what comes out of it. */
  readonly result?: StandardSchema;
  /** Whether repeating a call does no harm. Default false. */
  readonly idempotent?: boolean;
  /** Time limit of a call whose caller names none, in milliseconds; 0 = none. Default 30,000. */
  readonly timeoutMs?: number;
  /** The method's name on the wire, where it is not the key in the contract. */
  readonly wireName?: string;
}

/** What a contract says about a stream. Every field may be left out; without a schema a value is passed on unchecked, as `unknown`. */
export interface StreamContract {
  /** Validator of the params, as for methods. */
  readonly params?: StandardSchema;
  /** Validator of each item that the handler yields. */
  readonly item?: StandardSchema;
  /** Validator of the result: what the handler returns in the end. */
  readonly result?: StandardSchema;
  /** Validator of each item that the caller sends. A stream with `input` must be called with one. */
  readonly input?: StandardSchema;
  /** The longest silence of the handler while the caller waits, in milliseconds; 0 = none. Default 30,000. */
  readonly idleTimeoutMs?: number;
  /** The stream's name on the wire, where it is not the key in the contract. */
  readonly wireName?: string;
}

/** The methods of a contract by name. */
export type MethodContracts = Readonly<Record<string, MethodContract>>;
/** The streams of a contract by name. */
export type StreamContracts = Readonly<Record<string, StreamContract>>;
/** No methods, or no streams. */
export type NoEntries = Readonly<Record<never, never>>;

/** What a plugin offers, shared by the plugin and its callers. Made by {@link defineContract}. */
export interface Contract<Methods extends MethodContracts = MethodContracts, Streams extends StreamContracts = StreamContracts> {
  /** The methods by name. */
  readonly methods: Methods;
  /** The streams by name. */
  readonly streams: Streams;
}

const methodFields: readonly (keyof MethodContract)[] = ['params', 'result', 'idempotent', 'timeoutMs', 'wireName'];
const streamFields: readonly (keyof StreamContract)[] = ['params', 'item', 'result', 'input', 'idleTimeoutMs', 'wireName'];

/**
 * Defines what a plugin offers: its methods and streams with their validators (any Standard Schema library). The plugin implements it with
 * `definePlugin`, its callers get a typed object by `plugin.as(contract)`; both sides validate.
 *
 * @throws INVALID_ARGUMENT if a name is reserved (`plugin.`, `events.`, `grants.`), not a method name of the protocol, taken twice, or
 * `then` (an object with that method is mistaken for a promise), or if an entry has unknown or wrong fields.
 */
export function defineContract<Methods extends MethodContracts = NoEntries, Streams extends StreamContracts = NoEntries>(definition: {
  readonly methods?: Methods;
  readonly streams?: Streams;
}): Contract<Methods, Streams> {
  assertPlainObject('methods', definition.methods);
  assertPlainObject('streams', definition.streams);
  const contract = {
    methods: Object.freeze({ ...definition.methods }) as Methods,
    streams: Object.freeze({ ...definition.streams }) as Streams,
  };
  assertContract(contract);
  return Object.freeze(contract);
}

/** @throws INVALID_ARGUMENT as described at {@link defineContract}. */
export function assertContract(contract: Contract): void {
  const taken = new Map<string, string>();
  for (const [name, entry] of Object.entries(contract.methods)) assertEntry('method', name, entry, methodFields, taken);
  for (const [name, entry] of Object.entries(contract.streams)) {
    if (Object.hasOwn(contract.methods, name)) throw invalid(`"${name}" is both a method and a stream; give one of them another name.`);
    assertEntry('stream', name, entry, streamFields, taken);
  }
}

/** The name of a contract's entry on the wire. */
export function wireNameOf(name: string, entry: MethodContract | StreamContract): string {
  return entry.wireName ?? name;
}

/** @throws INVALID_ARGUMENT if a plugin may not register this name. */
export function assertMethodName(name: string): void {
  if (!namePattern.test(name)) {
    throw invalid(
      `"${name.slice(0, 100)}" cannot be the name of a method: use letters, digits, "_", ".", "/" and "-", at most 256, and begin with a letter or "_".`,
    );
  }
  const prefix = reservedPrefixes.find((reserved) => name.startsWith(reserved));
  if (prefix !== undefined)
    throw invalid(`"${name}" cannot be the name of a method: "${prefix}" is reserved for the runtime. Choose another prefix.`);
}

function assertPlainObject(what: string, value: unknown): void {
  if (value === undefined) return;
  const prototype: unknown = typeof value === 'object' && value !== null ? Object.getPrototypeOf(value) : undefined;
  // `{ __proto__: … }` sets the prototype instead of a key: the entry would be lost without a word.
  if (prototype === null || (typeof prototype === 'object' && Object.getPrototypeOf(prototype) === null)) return;
  throw invalid(`"${what}" of a contract must be a plain object; write the key "__proto__" as ["__proto__"] if you really want it.`);
}

function assertEntry(what: string, name: string, entry: unknown, fields: readonly string[], taken: Map<string, string>): void {
  if (name === 'then') {
    throw invalid(
      '"then" cannot be a key of a contract: an object with that method is mistaken for a promise. Take another key, and `wireName: "then"`.',
    );
  }
  if (typeof entry !== 'object' || entry === null) throw invalid(`The ${what} "${name}" must be an object like { params, result }.`);
  for (const [field, value] of Object.entries(entry)) assertField(`${what} "${name}"`, field, value, fields);
  const wireName = wireNameOf(name, entry as MethodContract);
  assertMethodName(wireName);
  const owner = taken.get(wireName);
  if (owner !== undefined) throw invalid(`"${owner}" and "${name}" have the same name on the wire, "${wireName}".`);
  taken.set(wireName, name);
}

function assertField(where: string, field: string, value: unknown, fields: readonly string[]): void {
  if (!fields.includes(field)) {
    const meant = nearest(field, fields);
    throw invalid(
      `The ${where} has an unknown field "${field}"${meant === undefined ? '' : `; did you mean "${meant}"?`} Known are ${fields.join(', ')}.`,
    );
  }
  if (value === undefined) return;
  if (field === 'wireName') {
    if (typeof value !== 'string') throw invalid(`"wireName" of the ${where} must be a string.`);
  } else if (field === 'idempotent') {
    if (typeof value !== 'boolean') throw invalid(`"idempotent" of the ${where} must be true or false.`);
  } else if (field === 'timeoutMs' || field === 'idleTimeoutMs') {
    if (typeof value !== 'number' || !(value >= 0 && value <= maxTimeoutMs)) {
      throw invalid(`"${field}" of the ${where} must be a number of milliseconds from 0 (no limit) to ${maxTimeoutMs}.`);
    }
  } else if (!isStandardSchema(value)) {
    throw invalid(`"${field}" of the ${where} must be a Standard Schema validator, as z.object({ … }) of zod.`);
  }
}

function isStandardSchema(value: unknown): value is StandardSchema {
  // Some libraries' schemas are functions.
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard: unknown = (value as Partial<StandardSchema>)['~standard'];
  return typeof standard === 'object' && standard !== null && typeof (standard as { validate?: unknown }).validate === 'function';
}

function invalid(message: string): WorkerRuntimeError {
  return new WorkerRuntimeError('INVALID_ARGUMENT', message);
}
