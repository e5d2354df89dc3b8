/** What a code of the problem table says, and how bad it is. */
interface ProblemTraits {
  readonly severity: 'error' | 'warning';
  readonly meaning: string;
}

/**
 * The closed table of what can be wrong with a manifest or a plugin's folder. `docs/manifest.md` lists it; a test
 * compares the two, and another fails for a code that no test triggers. Codes never change their meaning.
 */
export const problemCodes = {
  // Reading the text
  TOO_LARGE: { severity: 'error', meaning: 'The manifest is larger than 64 KiB.' },
  NOT_UTF8: { severity: 'error', meaning: 'The file is not valid UTF-8.' },
  FORBIDDEN_CHARACTER: { severity: 'error', meaning: 'The text holds a control character other than tab and line end, or half of a surrogate pair.' },
  EMPTY_DOCUMENT: { severity: 'error', meaning: 'There is nothing in the document.' },
  NOT_A_MAP: { severity: 'error', meaning: 'The document is a list or a single value instead of a map of fields.' },
  INVALID_YAML: { severity: 'error', meaning: 'The text is not YAML 1.2.' },
  INVALID_JSON: { severity: 'error', meaning: 'The text is not JSON.' },
  TOO_DEEP: { severity: 'error', meaning: 'Maps and lists are nested more than 32 deep.' },
  TOO_MANY_VALUES: { severity: 'error', meaning: 'The document has more than 20,000 values, aliases expanded.' },
  TOO_MANY_ALIASES: { severity: 'error', meaning: 'The document has more than 16 anchors or more than 16 aliases.' },
  INVALID_ALIAS: { severity: 'error', meaning: 'An alias names no anchor, or an anchor around itself.' },
  UNSUPPORTED_TAG: { severity: 'error', meaning: 'A YAML tag (`!…`) is used.' },
  UNSUPPORTED_DIRECTIVE: { severity: 'error', meaning: 'A YAML directive (`%…`) is used.' },
  MULTIPLE_DOCUMENTS: { severity: 'error', meaning: 'The file holds more than one YAML document.' },
  DUPLICATE_KEY: { severity: 'error', meaning: 'A key stands twice in one map.' },
  INVALID_KEY: { severity: 'error', meaning: 'A key of a map is not text.' },
  FORBIDDEN_KEY: { severity: 'error', meaning: 'The key `__proto__` is used, which has a meaning of its own in JavaScript.' },
  MERGE_KEY: { severity: 'error', meaning: 'The merge key `<<` of YAML 1.1 is used.' },
  TOO_MANY_PROBLEMS: { severity: 'warning', meaning: 'There are more problems of this severity than the 100 that are listed.' },
  // Shape
  MISSING_FIELD: { severity: 'error', meaning: 'A required field is missing or blank.' },
  WRONG_TYPE: { severity: 'error', meaning: 'A value has the wrong type.' },
  TOO_LONG: { severity: 'error', meaning: 'A text, list or map is longer than its limit.' },
  OUT_OF_RANGE: { severity: 'error', meaning: 'A number is outside its range.' },
  UNKNOWN_VALUE: { severity: 'error', meaning: 'A value is not one of those that the field allows.' },
  UNKNOWN_FIELD: { severity: 'warning', meaning: 'The field is not known and has no effect.' },
  UNQUOTED_TEXT: {
    severity: 'warning',
    meaning: 'Where text belongs, a number or boolean stands without quotes; it is read as the text that was written.',
  },
  UNPRINTABLE_TEXT: {
    severity: 'error',
    meaning: 'A text that people will read holds control characters or characters that turn the direction of writing.',
  },
  CONFLICTING_FIELDS: { severity: 'error', meaning: 'Two places for the same thing say different things.' },
  // Identity
  INVALID_ID: { severity: 'error', meaning: 'The id fits neither `name` nor `author/name`.' },
  ID_NOT_IN_CORE: { severity: 'warning', meaning: 'The id has the form `author/name`, which the Java core refuses.' },
  UNKNOWN_TYPE: { severity: 'error', meaning: 'The plugin type is not known.' },
  TYPE_NOT_IN_CORE: { severity: 'warning', meaning: 'The plugin type is one that the Java core refuses.' },
  INVALID_VERSION: { severity: 'error', meaning: 'The version does not begin with three numbers.' },
  INVALID_VERSION_CONSTRAINT: { severity: 'error', meaning: 'A version constraint does not fit the grammar of the host.' },
  UNREADABLE_VERSION: { severity: 'warning', meaning: 'A version that nobody checks does not fit the grammar of the host.' },
  INVALID_DEPENDENCY: { severity: 'error', meaning: 'A required plugin is named wrongly, twice, or is the plugin itself.' },
  // Capabilities
  UNKNOWN_CAPABILITY: { severity: 'error', meaning: 'The catalogue of the host has no capability of this name.' },
  INVALID_SCOPE: { severity: 'error', meaning: 'The scope of a capability request is not acceptable.' },
  LEGACY_PERMISSION: { severity: 'warning', meaning: 'An entry of `permissions` was translated into a capability request.' },
  PERMISSION_NOT_AVAILABLE: { severity: 'warning', meaning: 'An entry of `permissions` names something that no worker can get; it was dropped.' },
  // Runtime
  NO_RUNTIME: { severity: 'warning', meaning: 'There is no runtime section: the manifest is valid, but this runtime cannot start the plugin.' },
  UNKNOWN_RUNTIME: { severity: 'error', meaning: 'The runtime type is not known.' },
  INVALID_ENTRY: { severity: 'error', meaning: 'The entry point is not a relative path inside the folder of the plugin.' },
  INVALID_ARGS: { severity: 'error', meaning: 'An argument holds a NUL character.' },
  INVALID_ENVIRONMENT: { severity: 'error', meaning: 'The name or value of an environment entry is not acceptable.' },
  FORBIDDEN_ENVIRONMENT: { severity: 'error', meaning: 'The environment entry can load code or belongs to the host.' },
  // Configuration schema
  UNKNOWN_CONFIG_TYPE: { severity: 'error', meaning: 'The type of a config field is not known.' },
  INVALID_CONFIG_RULE: { severity: 'error', meaning: 'A rule of a config field contradicts its type or another rule.' },
  UNSUPPORTED_CONFIG_RULE: { severity: 'error', meaning: 'The config schema uses a JSON Schema keyword that would not be enforced.' },
  UNSUPPORTED_PATTERN: {
    severity: 'error',
    meaning: 'A pattern is too long, not a regular expression, or outside the subset that is matched in linear time.',
  },
  INVALID_DEFAULT: { severity: 'error', meaning: 'The default of a config field breaks its own rules.' },
  SECRET_DEFAULT: { severity: 'warning', meaning: 'A secret config field has a default, which everybody can read.' },
  // Provided methods
  INVALID_NAME: { severity: 'error', meaning: 'A method, stream or event has a name that the protocol cannot carry.' },
  RESERVED_NAME: { severity: 'error', meaning: 'A method or stream has a name that belongs to the runtime.' },
  // The folder
  MANIFEST_NOT_FOUND: { severity: 'error', meaning: 'The folder holds no manifest.' },
  ENTRY_NOT_FOUND: { severity: 'error', meaning: 'The entry point does not exist or is not a file.' },
  ENTRY_NOT_EXECUTABLE: { severity: 'error', meaning: 'The entry point of an executable may not be executed.' },
  FOLDER_UNREADABLE: { severity: 'error', meaning: 'The folder, or something in it, cannot be read.' },
  FOLDER_TOO_LARGE: { severity: 'error', meaning: 'The folder has too many entries, too many bytes, or is nested too deep.' },
  LINK_OUTSIDE_FOLDER: { severity: 'error', meaning: 'A symbolic link of the folder leads out of it, or nowhere.' },
  SPECIAL_FILE: { severity: 'error', meaning: 'The folder holds something that is neither file, folder nor symbolic link.' },
} as const satisfies Record<string, ProblemTraits>;

/** A stable code of the problem table. Match on it; never on a message. */
export type ProblemCode = keyof typeof problemCodes;

/** One thing that is wrong with a manifest, with where it stands and how to repair it. */
export interface Problem {
  /** An error makes the manifest invalid; a warning does not. Follows from the code. */
  readonly severity: 'error' | 'warning';
  /** What it is about. Match on it; never on the message. */
  readonly code: ProblemCode;
  /** A JSON Pointer (RFC 6901) to the field; of a missing field, to where it belongs. The whole document is the empty text. */
  readonly path: string;
  /** Counts from 1. */
  readonly line: number;
  /** Counts from 1, in UTF-16 units. */
  readonly column: number;
  /** A sentence that contains the repair. Quotes of the manifest in it are cut and escaped; a secret is never in it. */
  readonly message: string;
}

/** Makes a problem whose severity is that of its code. */
export function makeProblem(code: ProblemCode, path: string, at: { readonly line: number; readonly column: number }, message: string): Problem {
  return { severity: problemCodes[code].severity, code, path, line: at.line, column: at.column, message };
}
