/**
 * A validator of any library that follows Standard Schema, version 1: zod, valibot, arktype and others. The types are those
 * of the specification (https://standardschema.dev), copied, so that no library is forced on anybody.
 *
 * `Input` is what is given to the validator, `Output` what comes out of it: they differ where a schema fills in defaults or transforms.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** The properties of the specification; only for programs. */
  readonly '~standard': StandardSchemaProps<Input, Output>;
}

/** What a Standard Schema validator says about itself, and the validator. */
export interface StandardSchemaProps<Input = unknown, Output = Input> {
  /** The version of the specification. */
  readonly version: 1;
  /** The library that made the validator. */
  readonly vendor: string;
  /** Validates a value; it may need a promise for it. */
  readonly validate: (value: unknown) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>;
  /** Types for inference; there is no value at run time. */
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
}

/** The outcome of a validation: a value, or issues. */
export type StandardSchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardSchemaIssue[] };

/** One thing that is wrong with a value. */
export interface StandardSchemaIssue {
  /** A sentence for a person. */
  readonly message: string;
  /** Where it is, from the outside in. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What may be given to a schema. */
export type SchemaInput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['input'];
/** What comes out of a schema. */
export type SchemaOutput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output'];
