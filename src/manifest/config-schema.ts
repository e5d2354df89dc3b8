import type { LinearPattern } from './linear-pattern.js';

/** The types of config values. `any`: no type was written. */
export const configTypes = ['string', 'integer', 'number', 'boolean', 'list', 'map', 'any'] as const;
/** A type of config values. */
export type ConfigType = (typeof configTypes)[number];

/** Rules that a value is checked against. What is undefined is not limited. */
export interface ConfigRules {
  readonly type: ConfigType;
  /** Of numbers. */
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** Of texts, in UTF-16 units. */
  readonly minLength: number | undefined;
  readonly maxLength: number | undefined;
  /** Of texts: a regular expression that must be found in them. */
  readonly pattern: LinearPattern | undefined;
  /** Of lists. */
  readonly minItems: number | undefined;
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
  readonly key: string;
  /** A value must be given, unless there is a default. */
  readonly required: boolean;
  /** The value is never logged or shown. A field of a map that is secret makes the whole map secret. */
  readonly secret: boolean;
  /** Undefined: none. */
  readonly default: unknown;
  readonly label: string | undefined;
  readonly description: string | undefined;
}

/** The configuration that a plugin takes, in normal form for every dialect of `config_schema`. */
export interface ConfigSchema {
  readonly fields: readonly ConfigField[];
  /** Whether keys beside `fields` are allowed (`additionalProperties: true`). */
  readonly allowOther: boolean;
}

/** Takes no configuration. */
export const emptyConfigSchema: ConfigSchema = Object.freeze({ fields: Object.freeze([]), allowOther: false });
