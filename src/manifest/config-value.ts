import { nearest } from '../errors/nearest.js';
import type { ConfigField, ConfigRules, ConfigSchema, ConfigType } from './config-schema.js';
import { maxPatternInput } from './linear-pattern.js';
import { type Path, toPointer } from './pointer.js';
import { alternatives, quote } from './quote.js';

/** The closed table of what can be wrong with a configuration. `docs/manifest.md` lists it. */
export const configProblemCodes = {
  CONFIG_MISSING: 'A required value is missing or blank.',
  CONFIG_UNKNOWN_KEY: 'The config schema has no field of this name.',
  CONFIG_WRONG_TYPE: 'The value has the wrong type. Nothing is converted.',
  CONFIG_OUT_OF_RANGE: 'A number, length or count is outside its range.',
  CONFIG_NOT_ALLOWED: 'The value is not one of those that the field allows.',
  CONFIG_PATTERN: 'The text does not match the pattern of the field, or is longer than 4,096 characters.',
} as const;

/** A stable code of the table. */
export type ConfigProblemCode = keyof typeof configProblemCodes;

/** One thing that is wrong with a configuration. Never holds a value, only keys. */
export interface ConfigProblem {
  /** Match on it; never on the message. */
  readonly code: ConfigProblemCode;
  /** JSON Pointer into the configuration. */
  readonly path: string;
  /** A sentence with the repair. */
  readonly message: string;
}

/** Gives a problem; the path is relative to the configuration. */
export type NoteConfigProblem = (code: ConfigProblemCode, path: Path, message: string) => void;

const typeWords: Readonly<Record<ConfigType, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  list: 'a list',
  map: 'a map',
  any: 'anything',
};

/** Checks the fields of a map and fills in the defaults. */
export function checkFields(
  schema: ConfigSchema,
  values: Readonly<Record<string, unknown>>,
  path: Path,
  note: NoteConfigProblem,
): Record<string, unknown> {
  const names = new Set(schema.fields.map((field) => field.key));
  const config: [string, unknown][] = [];
  for (const [key, value] of Object.entries(values)) {
    if (names.has(key) || value === undefined) continue;
    if (schema.allowOther) config.push([key, value]);
    else note('CONFIG_UNKNOWN_KEY', [...path, key], unknownKeyMessage(key, names));
  }
  for (const field of schema.fields) {
    const value = checkField(field, Object.hasOwn(values, field.key) ? values[field.key] : undefined, [...path, field.key], note);
    if (value !== undefined) config.push([field.key, value]);
  }
  return Object.fromEntries(config);
}

function checkField(field: ConfigField, given: unknown, path: Path, note: NoteConfigProblem): unknown {
  if (isAbsent(given)) {
    if (field.default !== undefined) return field.default;
    if (field.required) note('CONFIG_MISSING', path, `${nameOf(path)} is required; set it.`);
    return undefined;
  }
  return checkValue(field, given, path, note);
}

/** Checks a value against rules. Returns it, with the defaults of maps filled in; undefined when it is wrong. */
export function checkValue(rules: ConfigRules, value: unknown, path: Path, note: NoteConfigProblem): unknown {
  if (!isOfType(rules.type, value)) {
    note(
      'CONFIG_WRONG_TYPE',
      path,
      `${nameOf(path)} must be ${typeWords[rules.type]}${typeof value === 'string' ? ', not text: remove the quotes' : ''}.`,
    );
    return undefined;
  }
  let ok = true;
  const refuse = (code: ConfigProblemCode, rule: string): void => {
    ok = false;
    note(code, path, `${nameOf(path)} must ${rule}.`);
  };
  if (rules.enum !== undefined && !rules.enum.includes(value))
    refuse(
      'CONFIG_NOT_ALLOWED',
      `be ${alternatives(rules.enum.slice(0, 20).map((item) => (typeof item === 'string' ? quote(item) : String(item))))}`,
    );
  if (typeof value === 'number') checkBounds(value, rules.min, rules.max, 'be', '', refuse);
  if (typeof value === 'string') checkText(rules, value, refuse);
  if (Array.isArray(value)) {
    checkBounds(value.length, rules.minItems, rules.maxItems, 'have', ' items', refuse);
    const { items } = rules;
    if (items !== undefined) return ok ? value.map((item, index) => checkValue(items, item, [...path, index], note)) : undefined;
  } else if (rules.fields !== undefined && typeof value === 'object' && value !== null) {
    return checkFields(rules.fields, value as Record<string, unknown>, path, note);
  }
  return ok ? value : undefined;
}

function checkText(rules: ConfigRules, value: string, refuse: (code: ConfigProblemCode, rule: string) => void): void {
  checkBounds(value.length, rules.minLength, rules.maxLength, 'have', ' characters', refuse);
  if (rules.pattern === undefined) return;
  if (value.length > maxPatternInput) refuse('CONFIG_PATTERN', `have at most ${maxPatternInput} characters to be compared with its pattern`);
  else if (!rules.pattern.test(value)) refuse('CONFIG_PATTERN', `match the pattern ${quote(rules.pattern.source)}`);
}

function checkBounds(
  size: number,
  min: number | undefined,
  max: number | undefined,
  verb: string,
  unit: string,
  refuse: (code: ConfigProblemCode, rule: string) => void,
): void {
  if (min !== undefined && size < min) refuse('CONFIG_OUT_OF_RANGE', `${verb} at least ${min}${unit}`);
  if (max !== undefined && size > max) refuse('CONFIG_OUT_OF_RANGE', `${verb} at most ${max}${unit}`);
}

/** As in the host: a blank text is as good as none. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

function isOfType(type: ConfigType, value: unknown): boolean {
  switch (type) {
    case 'string':
    case 'boolean':
      return typeof value === type;
    case 'integer':
      return Number.isSafeInteger(value);
    case 'number':
      return Number.isFinite(value);
    case 'list':
      return Array.isArray(value);
    case 'map':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'any':
      return true;
  }
}

function nameOf(path: Path): string {
  return path.length === 0 ? 'The value' : quote(toPointer(path).slice(1)).slice(1, -1);
}

function unknownKeyMessage(key: string, names: ReadonlySet<string>): string {
  const suggestion = nearest(key, names);
  return `There is no config field ${quote(key)}; ${suggestion === undefined ? 'remove it.' : `did you mean ${suggestion}?`}`;
}
