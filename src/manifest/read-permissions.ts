import type { Capability, CapabilityCatalogue } from '../capabilities/capability.js';
import { nearest } from '../errors/nearest.js';
import type { Checked } from './check-shape.js';
import { findLegacyPermission, legacyPermissions } from './legacy-permissions.js';
import type { ManifestCapabilityRequest } from './manifest.js';
import type { ManifestFile } from './manifest-schema.js';
import { type Path, toPointer } from './pointer.js';
import type { ProblemList } from './problem-list.js';
import { quote } from './quote.js';
import type { SourceTree } from './source-tree.js';

interface Written {
  readonly permission: string;
  readonly path: Path;
}

/** Translates the legacy field `permissions`, with a warning for each entry that says what it became. */
export function readPermissions(
  file: Checked<ManifestFile>,
  catalogue: CapabilityCatalogue,
  tree: SourceTree,
  problems: ProblemList,
): ManifestCapabilityRequest[] {
  return writtenPermissions(file.permissions).flatMap((written) => translate(written, catalogue, tree, problems));
}

/** All forms in one: texts, and maps `section: { key: true | value | [values] }` as `section.key` or `section.key:value`. */
function writtenPermissions(permissions: Checked<ManifestFile>['permissions']): Written[] {
  if (permissions === undefined) return [];
  if (isList(permissions))
    return permissions.flatMap((permission, index) => (typeof permission === 'string' ? [{ permission, path: ['permissions', index] }] : []));
  return Object.entries(permissions).flatMap(([section, keys]) => {
    const path = ['permissions', section];
    if (typeof keys !== 'object' || keys === null) return keys === true ? [{ permission: section, path }] : [];
    return Object.entries(keys).flatMap(([key, value]) => writtenValues(`${section}.${key}`, value, [...path, key]));
  });
}

function writtenValues(permission: string, value: unknown, path: Path): Written[] {
  if (value === true) return [{ permission, path }];
  if (typeof value === 'string') return [{ permission: `${permission}:${value}`, path }];
  if (!isList(value)) return [];
  return value.flatMap((item, index) => (typeof item === 'string' ? [{ permission: `${permission}:${item}`, path: [...path, index] }] : []));
}

function translate(
  { permission, path }: Written,
  catalogue: CapabilityCatalogue,
  tree: SourceTree,
  problems: ProblemList,
): ManifestCapabilityRequest[] {
  if (permission === 'none') return [];
  const found = findLegacyPermission(permission) ?? asCapability(permission, catalogue);
  if (found === undefined) {
    const known = [...legacyPermissions.map((row) => row.permission).filter((name) => !name.includes('<')), ...catalogue.names];
    const suggestion = problems.hasRoom('UNKNOWN_CAPABILITY') ? nearest(permission, known) : undefined;
    problems.add(
      'UNKNOWN_CAPABILITY',
      path,
      `There is no permission ${quote(permission)}; ${suggestion === undefined ? 'see docs/manifest.md for those that exist.' : `did you mean ${suggestion}?`}`,
    );
    return [];
  }
  const { row, value } = found;
  const capability = row.capability === undefined ? undefined : catalogue.get(row.capability);
  if (capability === undefined) {
    problems.add(
      'PERMISSION_NOT_AVAILABLE',
      path,
      `The permission ${quote(permission)} is not available: ${row.instead ?? `this host has no capability ${row.capability}`}. Remove it.`,
    );
    return [];
  }
  const parsed = capability.parseScope(row.field === undefined ? {} : { [row.field]: [value ?? ''] });
  if ('problems' in parsed) {
    for (const problem of parsed.problems)
      problems.add('INVALID_SCOPE', path, `The permission ${quote(permission)} is not acceptable: ${problem.message}`);
    return [];
  }
  const approval = row.alwaysNeedsApproval ? ', which always needs the approval of a person' : '';
  problems.add(
    'LEGACY_PERMISSION',
    path,
    `The permission ${quote(permission)} became the request ${describe(capability, row.field, value)}${approval}; write it in requires.capabilities.`,
  );
  const { line } = tree.valuePosition(path);
  return [
    {
      capability: capability.name,
      scope: parsed.scope,
      optional: false,
      origin: 'permissions',
      path: toPointer(path),
      line,
      alwaysNeedsApproval: row.alwaysNeedsApproval,
    },
  ];
}

/** A permission that is the name of a capability, possibly of the embedder's own, asks for all of it. */
function asCapability(permission: string, catalogue: CapabilityCatalogue): ReturnType<typeof findLegacyPermission> {
  const capability = catalogue.get(permission);
  return capability === undefined ? undefined : { row: { permission, capability: capability.name, alwaysNeedsApproval: true }, value: undefined };
}

function describe(capability: Capability, field: string | undefined, value: string | undefined): string {
  return field === undefined
    ? `{ capability: ${capability.name} } for everything`
    : `{ capability: ${capability.name}, ${field}: [${quote(value ?? '')}] }`;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
