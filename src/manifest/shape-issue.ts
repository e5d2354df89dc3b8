import { manifestSchema } from './manifest-schema.js';
import type { Path } from './pointer.js';

/** What the schema found, reduced to what messages need. */
export type ShapeIssue =
  | { readonly code: 'invalid_type'; readonly path: Path; readonly expected: readonly string[] }
  | { readonly code: 'unrecognized_keys'; readonly path: Path; readonly keys: readonly string[] }
  | { readonly code: 'invalid_value'; readonly path: Path; readonly values: readonly string[] }
  | { readonly code: 'too_big' | 'too_small' | 'invalid_key'; readonly path: Path; readonly origin: string; readonly bound: number };

type Issue = NonNullable<ReturnType<typeof manifestSchema.safeParse>['error']>['issues'][number];

/** Replaces every failed union by the issues of the alternative that was meant: the one of the same kind as the value. */
export function flattenIssues(issues: readonly Issue[], root: unknown): ShapeIssue[] {
  return issues.flatMap((issue) => flatten(issue, [], root));
}

function flatten(issue: Issue, base: Path, root: unknown): ShapeIssue[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  switch (issue.code) {
    case 'invalid_union': {
      const meant = alternativeMeant(issue.errors);
      if (meant !== undefined) return meant.flatMap((inner) => flatten(inner as Issue, path, root));
      const expected = issue.errors.flatMap((branch) =>
        branch.flatMap((inner) => ('expected' in inner && inner.path.length === 0 ? [String(inner.expected)] : [])),
      );
      return [{ code: 'invalid_type', path, expected: [...new Set(expected)] }];
    }
    case 'invalid_type':
      return [{ code: 'invalid_type', path, expected: [String(issue.expected)] }];
    case 'unrecognized_keys':
      return [{ code: 'unrecognized_keys', path, keys: issue.keys }];
    case 'invalid_value':
      return [{ code: 'invalid_value', path, values: issue.values.map(String) }];
    case 'too_big':
      return [{ code: 'too_big', path, origin: issue.origin, bound: Number(issue.maximum) }];
    case 'too_small':
      return [{ code: 'too_small', path, origin: issue.origin, bound: Number(issue.minimum) }];
    default:
      return [{ code: 'invalid_key', path, origin: 'record', bound: 0 }];
  }
}

interface BranchIssue {
  readonly code?: string | undefined;
  readonly path: PropertyKey[];
}

/**
 * Of the alternatives of a union the one that the value is of the right kind for. Beside the kind it is the field `type`
 * that tells a JSON Schema of an object from a map of config fields.
 */
function alternativeMeant<Branch extends readonly BranchIssue[]>(branches: readonly Branch[]): Branch | undefined {
  const ofKind = branches.filter((branch) => !branch.some((issue) => issue.path.length === 0 && issue.code === 'invalid_type'));
  return ofKind.find((branch) => !branch.some((issue) => issue.path.length === 1 && issue.path[0] === 'type')) ?? ofKind.at(-1);
}

interface SchemaDef {
  readonly type: string;
  readonly innerType?: { readonly def: SchemaDef };
  readonly element?: { readonly def: SchemaDef };
  readonly valueType?: { readonly def: SchemaDef };
  readonly getter?: () => { readonly def: SchemaDef };
  readonly options?: readonly { readonly def: SchemaDef }[];
  readonly shape?: Readonly<Record<string, { readonly def: SchemaDef }>>;
}

/** The names of the fields that the schema knows at `path`, for "did you mean". */
export function knownFieldsAt(path: Path): readonly string[] {
  let defs: SchemaDef[] = [manifestSchema.def as unknown as SchemaDef];
  for (const segment of path) defs = defs.flatMap(unwrap).flatMap((def) => stepInto(def, segment));
  return defs.flatMap(unwrap).flatMap((def) => Object.keys(def.shape ?? {}));
}

function unwrap(def: SchemaDef): SchemaDef[] {
  if (def.innerType !== undefined) return unwrap(def.innerType.def);
  if (def.getter !== undefined) return unwrap(def.getter().def);
  return def.options === undefined ? [def] : def.options.flatMap((option) => unwrap(option.def));
}

function stepInto(def: SchemaDef, segment: string | number): SchemaDef[] {
  if (def.shape !== undefined) return typeof segment === 'string' && Object.hasOwn(def.shape, segment) ? [def.shape[segment]!.def] : [];
  if (typeof segment === 'number') return def.element === undefined ? [] : [def.element.def];
  return def.valueType === undefined ? [] : [def.valueType.def];
}
