/** How much harm a capability can do in the wrong hands; shown to the operator. */
export type Risk = 'low' | 'medium' | 'high';

/** A scope in normal form: each field of the capability's scope with its list of patterns; no field is missing, no list is empty. */
export type Scope = Readonly<Record<string, readonly string[]>>;

/** One thing that is wrong with a scope: where (path below the scope), and a sentence with the repair. */
export interface ScopeProblem {
  /** From the scope down: the field, then the index in its list; empty when the scope is no map at all. */
  readonly path: readonly (string | number)[];
  /** A sentence with the repair. Quotes of the scope in it are cut and escaped. */
  readonly message: string;
}

/**
 * What a plugin is about to do, judged by `decide`: a capability and what it would touch. It touches every combination
 * of one value per field, and each of them must be granted. Made by {@link Capability.for}.
 */
export interface Attempt {
  /** The capability's name; `decide` denies one that its catalogue lacks. */
  readonly capability: string;
  /**
   * For each scope field the values that would be touched, in the normal form of the field's kind. What a service then
   * does must use **these** values, not the ones that it was given: a host name, for one, is lower-cased here.
   *
   * A value is concrete (`mail.sent`), except in kinds whose values may be patterns (see {@link ScopeKind.isValue}): an
   * attempt to subscribe to `mail.*` touches everything that `mail.*` covers.
   */
  readonly scope: Scope;
}

/** What a manifest asks for: a capability with a scope in normal form. */
export interface CapabilityRequest {
  /** The capability's name. In a manifest that was accepted it is one of the host's catalogue. */
  readonly capability: string;
  /** What it is asked for. A field that the author left out is there with the pattern for everything. */
  readonly scope: Scope;
  /** The author's reason, for the operator. */
  readonly reason?: string;
  /** Whether the plugin can do without it. */
  readonly optional: boolean;
  /** Whether no allow rule may grant it, only a person: the translation of a right that named no scope, for one. */
  readonly alwaysNeedsApproval?: boolean;
}

/** A named authority with a typed scope. Made by `defineCapability`. */
export interface Capability<Field extends string = string> {
  /** Dotted name, as `network.http`. */
  readonly name: string;
  /** Shown to the operator beside the sentence. It decides nothing. */
  readonly risk: Risk;
  /** What it allows, for the operator, with `{field}` placeholders: `send mail to {domains}`. */
  readonly sentence: string;
  /** The fields of its scope. A field that a request leaves out asks for everything in that dimension. */
  readonly scope: Readonly<Record<Field, ScopeKind>>;
  /**
   * Reads a scope as a manifest or policy writes it: a list of patterns per field, or one pattern alone. A missing field
   * becomes everything; an empty list, a null or an unknown field is a problem. Never throws.
   */
  parseScope(raw: Readonly<Record<string, unknown>>): { readonly scope: Scope } | { readonly problems: readonly ScopeProblem[] };
  /**
   * The attempt to use it on these values. A string that is no acceptable value of its field (`/data/../etc`) is kept as
   * it stands, and `decide` denies the attempt, whatever was granted.
   * @throws INVALID_ARGUMENT if a field is missing, unknown, empty or not a list of strings: a defect of the caller.
   */
  for(values: Readonly<Record<Field, string | readonly string[]>>): Attempt;
  /** The operator's sentence for a scope: `send mail to example.com`. Patterns with unusual characters are quoted and escaped. */
  describe(scope: Scope): string;
}

/**
 * A kind of scope field: its pattern language and algebra. The built-in ones are in `scopes`.
 *
 * `matches`, `covers` and `intersect` take patterns in normal form, as `parsePattern` returns them. The laws that the
 * policy relies on, and that a kind of one's own must keep: `covers` is reflexive and transitive; `everything` covers
 * all; `covers(outer, inner)` and `matches(inner, value)` imply `matches(outer, value)`; `intersect` is exact; a value
 * that `isValue` refuses is matched by nothing.
 */
export interface ScopeKind {
  /** For people who look at a capability; the built-in kinds have the name of their function in `scopes`. */
  readonly name: string;
  /** The pattern that covers everything. */
  readonly everything: string;
  /** A JSON Schema of one pattern. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Whether a manifest or policy may write a pattern as an integer; it is then read in decimal. Default false. */
  readonly acceptsIntegers?: boolean;
  /** Brings a pattern into normal form, or says what is wrong with it and how to write it. */
  parsePattern(pattern: string): { readonly pattern: string } | { readonly message: string };
  /** Brings a value of an attempt into normal form, or says why it can never be granted. */
  parseValue(value: string): { readonly value: string } | { readonly message: string };
  /** Whether `value` is a value in normal form. It is asked at every decision, so it should be fast. */
  isValue(value: string): boolean;
  /** Whether `pattern` covers all that `value` touches. False for what is no value in normal form. */
  matches(pattern: string, value: string): boolean;
  /** Whether everything that `inner` covers is covered by `outer`. */
  covers(outer: string, inner: string): boolean;
  /** The patterns that cover exactly what both cover; none if there is no such thing. */
  intersect(left: string, right: string): readonly string[];
  /**
   * Whether `pattern` covers any part of what `value` touches: what deny rules go by. Only kinds whose values may be
   * patterns need it; the default is `matches`.
   */
  overlaps?(pattern: string, value: string): boolean;
  /** An index of many patterns, so that a decision does not grow with their number. The default asks each pattern in turn. */
  createIndex?<Entry>(): PatternIndex<Entry>;
}

/** Many patterns of one kind, each with entries, asked at once. Patterns and values are in normal form. */
export interface PatternIndex<Entry> {
  /** Adds an entry under a pattern. One pattern may have many. */
  add(pattern: string, entry: Entry): void;
  /** Visits the entries whose pattern matches `value`, each at least once, until `visit` returns true; returns whether it did. */
  findMatching(value: string, visit: (entry: Entry) => boolean): boolean;
  /** The same for the entries whose pattern overlaps `value`. */
  findOverlapping(value: string, visit: (entry: Entry) => boolean): boolean;
}

/** The capabilities that a host knows. Made by `createCatalogue`. */
export interface CapabilityCatalogue {
  /** All names, sorted. */
  readonly names: readonly string[];
  /** The capability of exactly this name; undefined if there is none. */
  get(name: string): Capability | undefined;
}
