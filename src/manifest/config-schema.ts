import type { LinearPattern } from './linear-pattern.js';

/** The types of config values. `any`: no type was written. */
export const configTypes = ['string', 'integer', 'number', 'boolean', 'list', 'map', 'any'] as const;
/** A type of config values. */
export type ConfigType = (typeof configTypes)[number];

/** Rules that a value is checked against. What is undefined is not limited. */
export interface ConfigRules {
  /** What a value must be; nothing is ever converted. `integer`: within ±(2^53 − 1); `number`: finite. */
  readonly type: ConfigType;
  /** Of numbers: the least that is allowed. */
  readonly min: number | undefined;
  /** Of numbers: the greatest that is allowed. */
  readonly max: number | undefined;
  /** Of texts: the least length, in UTF-16 units. */
  readonly minLength: number | undefined;
  /** Of texts: the greatest length, in UTF-16 units. */
  readonly maxLength: number | undefined;
  /** Of texts: a regular expression that must be found in them. */
  readonly pattern: LinearPattern | undefined;
  /** Of lists: the fewest items. */
  readonly minItems: number | undefined;
  /** Of lists: the most items. */
  readonly maxItems: number | undefined;
  /** Rules of each item of a list. */
  readonly items: ConfigRules | undefined;
  /** The fields of a map; undefined: any map. */
  readonly fields: ConfigSchema | undefined;
  /** The values that are allowed: texts, numbers, booleans. */
  readonly enum: readonly unknown[] | undefined;
}

/** One value that the operator can set. */
export interface ConfigField extends ConfigRules {
  /** Its key in the configuration. */
  readonly key: string;
  /** A value must be given, unless there is a default. */
  readonly required: boolean;
  /** The value is never logged or shown. A field of a map that is secret makes the whole map secret. */
  readonly secret: boolean;
  /** Undefined: none. */
  readonly default: unknown;
  /** A name for people who fill in a form. */
  readonly label: string | undefined;
  /** What it is for, for the same people. */
  readonly description: string | undefined;
}

/** The configuration that a plugin takes, in normal form for every dialect of `config_schema`. */
export interface ConfigSchema {
  /** In the order of the manifest; at most 256. Keys are unique. */
  readonly fields: readonly ConfigField[];
  /** Whether keys beside `fields` are allowed (`additionalProperties: true`). */
  readonly allowOther: boolean;
}

/** Takes no configuration. */
export const emptyConfigSchema: ConfigSchema = Object.freeze({ fields: Object.freeze([]), allowOther: false });
