import { z } from 'zod';

const text = (description: string, max = 200) => z.string().max(max).meta({ description });
const freeForm = (description: string) => z.unknown().meta({ description });
const least = z.int().min(0).optional();

const configRules = {
  type: z
    .union([z.string().max(32), z.array(z.string().max(32)).max(4)])
    .meta({ description: 'string, integer, number, boolean, list or map (array and object mean the last two). Left out: any value.' })
    .optional(),
  required: z
    .union([z.boolean(), z.array(z.string().max(128)).max(256)])
    .meta({ description: 'A value must be given unless there is a default. Of an object: the names of its required properties.' })
    .optional(),
  secret: z.boolean().meta({ description: 'The value is never logged or shown.' }).optional(),
  writeOnly: z.boolean().meta({ description: 'JSON Schema word for secret.' }).optional(),
  format: text('JSON Schema annotation; password means secret.', 64).optional(),
  default: freeForm('Used when no value is given; must fit the other rules.').optional(),
  label: text('Title in a form.', 200).optional(),
  title: text('JSON Schema word for label.', 200).optional(),
  description: text('Help in a form.', 2_000).optional(),
  pattern: text('Regular expression that a text must contain; see docs/manifest.md for the subset.', 256).optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  min_length: least,
  max_length: least,
  minLength: least,
  maxLength: least,
  item_type: text('Type of the items of a list.', 32).optional(),
  items: z
    .lazy((): z.ZodType<unknown> => configFieldSchema)
    .meta({ description: 'JSON Schema word for the rules of the items.' })
    .optional(),
  min_items: least,
  max_items: least,
  minItems: least,
  maxItems: least,
  enum: z.array(z.unknown()).min(1).max(256).meta({ description: 'The values that are allowed.' }).optional(),
  properties: z
    .lazy((): z.ZodType<unknown> => configFieldsSchema)
    .meta({ description: 'JSON Schema word for the fields of a map.' })
    .optional(),
  additionalProperties: z.unknown().meta({ description: 'Whether a map may have other fields: true or false.' }).optional(),
  examples: freeForm('Kept for forms.').optional(),
  placeholder: freeForm('Kept for forms.').optional(),
};
/** The rules of one config field, in any dialect. */
const configFieldSchema = z.strictObject(configRules).meta({ description: 'Rules of one config field.' });
const configFieldsSchema = z.record(z.string(), configFieldSchema);
/** The rules of a config field as they are written. */
export type ConfigRulesFile = z.infer<typeof configFieldSchema>;
/** One field in the dialect that lists fields. */
const keyedConfigFieldSchema = z.strictObject({ key: text('Name of the config field.', 128), ...configRules });
/** The dialect that is a JSON Schema of an object. */
const configObjectSchema = z.strictObject({
  ...configRules,
  type: z.literal('object'),
  properties: configFieldsSchema.optional(),
  $schema: text('Ignored.').optional(),
  $id: text('Ignored.').optional(),
});

/** `config_schema` in all of its dialects. */
export const configSchemaSchema = z
  .union([z.array(keyedConfigFieldSchema).max(256), configObjectSchema, configFieldsSchema])
  .meta({ description: 'Rules of the configuration: a map by key, a list with key, or a JSON Schema of an object.' });
