import { nearest } from '../errors/nearest.js';
import type { Checked } from './check-shape.js';
import type { ConfigRulesFile } from './config-file-schema.js';
import { type ConfigField, type ConfigRules, type ConfigSchema, type ConfigType, configTypes, emptyConfigSchema } from './config-schema.js';
import { checkValue } from './config-value.js';
import { compilePattern, type LinearPattern } from './linear-pattern.js';
import type { ManifestFile } from './manifest-schema.js';
import type { Path } from './pointer.js';
import type { ProblemList } from './problem-list.js';
import { quote } from './quote.js';

type Written = Checked<ConfigRulesFile>;
const otherWords: Readonly<Record<string, ConfigType>> = {
  array: 'list',
  object: 'map',
  int: 'integer',
  bool: 'boolean',
  float: 'number',
  double: 'number',
  text: 'string',
  password: 'string',
  secret: 'string',
  url: 'string',
};
const maxFields = 256;

/** Reads `config_schema` in any of its dialects: a map by key, a list with `key`, a JSON Schema of an object. */
export function readConfigSchema(file: Checked<ManifestFile>, problems: ProblemList): ConfigSchema {
  const written = file.config_schema as unknown;
  if (typeof written !== 'object' || written === null) return emptyConfigSchema;
  const reader = new ConfigSchemaReader(problems);
  const path = ['config_schema'];
  if (Array.isArray(written)) return reader.readList(written as (Written & { key?: string })[], path);
  const map = written as Record<string, unknown>;
  return map.type === 'object' ? reader.readObject(map as Written, path) : reader.readMap(map as Record<string, Written>, path, [], false);
}

class ConfigSchemaReader {
  readonly #problems: ProblemList;

  constructor(problems: ProblemList) {
    this.#problems = problems;
  }

  readList(list: readonly ((Written & { readonly key?: string }) | undefined)[], path: Path): ConfigSchema {
    const fields: ConfigField[] = [];
    for (const [index, written] of list.entries()) {
      const key = written?.key;
      if (written === undefined || key === undefined) continue;
      if (key === '__proto__' || key.trim() === '')
        this.#problems.add('INVALID_CONFIG_RULE', [...path, index, 'key'], `${quote(key)} cannot be the name of a config field; choose another.`);
      else if (fields.some((field) => field.key === key))
        this.#problems.add('DUPLICATE_KEY', [...path, index, 'key'], `The config field ${quote(key)} stands twice in this list; remove one.`);
      else fields.push(this.#field(key, written, [...path, index], false));
    }
    return { fields, allowOther: false };
  }

  readMap(map: Readonly<Record<string, Written | undefined>>, path: Path, required: readonly unknown[], allowOther: boolean): ConfigSchema {
    const entries = Object.entries(map);
    if (entries.length > maxFields) this.#problems.add('TOO_LONG', path, `A config schema must have at most ${maxFields} fields.`);
    for (const name of required) {
      if (typeof name === 'string' && !Object.hasOwn(map, name))
        this.#problems.add('INVALID_CONFIG_RULE', path, `The required field ${quote(name)} is not among the properties; add it.`);
    }
    const fields = entries
      .slice(0, maxFields)
      .flatMap(([key, written]) => (written === undefined ? [] : [this.#field(key, written, [...path, key], required.includes(key))]));
    return { fields, allowOther };
  }

  /** A JSON Schema of an object. */
  readObject(written: Written, path: Path): ConfigSchema {
    const { additionalProperties: other, properties = {}, required } = written;
    if (other !== undefined && typeof other !== 'boolean') {
      this.#problems.add(
        'UNSUPPORTED_CONFIG_RULE',
        [...path, 'additionalProperties'],
        'A schema of additional properties would not be enforced; write true or false.',
      );
    }
    return this.readMap(properties as Record<string, Written>, [...path, 'properties'], Array.isArray(required) ? required : [], other === true);
  }

  #field(key: string, written: Written, path: Path, requiredByParent: boolean): ConfigField {
    const rules = this.#rules(written, path);
    const secret =
      written.secret === true ||
      written.writeOnly === true ||
      written.format === 'password' ||
      written.type === 'password' ||
      written.type === 'secret';
    if (written.default !== undefined) this.#checkDefault(rules, written.default, secret, [...path, 'default']);
    const required = written.required === true || requiredByParent;
    return { ...rules, key, required, secret, default: written.default, label: written.label ?? written.title, description: written.description };
  }

  #rules(written: Written, path: Path): ConfigRules {
    const type = this.#type(written, path);
    const rules = {
      type,
      min: written.min ?? written.minimum,
      max: written.max ?? written.maximum,
      minLength: written.min_length ?? written.minLength,
      maxLength: written.max_length ?? written.maxLength,
      pattern: this.#pattern(written.pattern, path),
      minItems: written.min_items ?? written.minItems,
      maxItems: written.max_items ?? written.maxItems,
      items: this.#items(written, path),
      fields: written.properties === undefined ? undefined : this.readObject(written, path),
      enum: this.#enum(written.enum, path),
    };
    this.#checkRules(rules, path);
    return rules;
  }

  #type({ type: written }: Written, path: Path): ConfigType {
    if (written === undefined) return 'any';
    const words = (typeof written === 'string' ? [written] : [...written]).filter((word) => word !== undefined && word !== 'null') as string[];
    if (words.length !== 1) {
      this.#problems.add(
        'UNSUPPORTED_CONFIG_RULE',
        [...path, 'type'],
        'A config field has one type; write only that one, or leave type out for any value.',
      );
      return 'any';
    }
    return this.#typeWord(words[0] ?? '', [...path, 'type']);
  }

  #typeWord(written: string, path: Path): ConfigType {
    const word = written.toLowerCase();
    const type = configTypes.find((known) => known === word) ?? (Object.hasOwn(otherWords, word) ? otherWords[word] : undefined);
    if (type !== undefined) return type;
    const suggestion = nearest(word, [...configTypes, ...Object.keys(otherWords)]) ?? configTypes.join(', ');
    this.#problems.add('UNKNOWN_CONFIG_TYPE', path, `There is no config type ${quote(written)}; use ${suggestion}.`);
    return 'any';
  }

  #items(written: Written, path: Path): ConfigRules | undefined {
    if (written.items !== undefined) return this.#rules(written.items as Written, [...path, 'items']);
    return written.item_type === undefined ? undefined : this.#rules({ type: this.#typeWord(written.item_type, [...path, 'item_type']) }, path);
  }

  #enum(written: readonly unknown[] | undefined, path: Path): readonly unknown[] | undefined {
    const values = written?.filter((value) => ['string', 'number', 'boolean'].includes(typeof value));
    if (values?.length !== written?.length)
      this.#problems.add('INVALID_CONFIG_RULE', [...path, 'enum'], 'enum may list texts, numbers and booleans; remove the others.');
    return values;
  }

  #pattern(source: string | undefined, path: Path): LinearPattern | undefined {
    if (source === undefined) return undefined;
    const compiled = compilePattern(source);
    if (!('repair' in compiled)) return compiled;
    this.#problems.add('UNSUPPORTED_PATTERN', [...path, 'pattern'], `The pattern ${quote(source)} ${compiled.repair}.`);
    return undefined;
  }

  #checkRules(rules: ConfigRules, path: Path): void {
    const { type } = rules;
    const wrong = (message: string): void => this.#problems.add('INVALID_CONFIG_RULE', path, message);
    for (const [low, high, word] of [
      [rules.min, rules.max, 'min'],
      [rules.minLength, rules.maxLength, 'min_length'],
      [rules.minItems, rules.maxItems, 'min_items'],
    ] as const) {
      if (low !== undefined && high !== undefined && low > high) wrong(`${word} is ${low} and above its counterpart ${high}; exchange the two.`);
    }
    const isNumber = type === 'integer' || type === 'number' || type === 'any';
    const isText = type === 'string' || type === 'any';
    if (!isNumber && (rules.min !== undefined || rules.max !== undefined))
      wrong('min and max limit numbers; use min_length, max_length or min_items, max_items.');
    if (!isText && (rules.minLength !== undefined || rules.maxLength !== undefined || rules.pattern !== undefined))
      wrong('min_length, max_length and pattern limit texts; remove them.');
    if (type !== 'list' && type !== 'any' && (rules.minItems !== undefined || rules.maxItems !== undefined || rules.items !== undefined))
      wrong('min_items, max_items and item rules belong to lists; set type to list.');
    if (type !== 'map' && type !== 'any' && rules.fields !== undefined) wrong('properties belong to maps; set type to map.');
  }

  #checkDefault(rules: ConfigRules, value: unknown, secret: boolean, path: Path): void {
    if (value === '') return; // Blank is as good as none.
    checkValue(rules, value, ['default'], (_code, at, message) => {
      this.#problems.add('INVALID_DEFAULT', [...path, ...at.slice(1)], `A default must fit the rules of its field: ${message}`);
    });
    if (secret) this.#problems.add('SECRET_DEFAULT', path, 'The default of a secret is public; leave it out and let the operator set one.');
  }
}
