import { nearest } from '../errors/nearest.js';
import type { Checked } from './check-shape.js';
import { type Manifest, type PluginType, pluginTypes } from './manifest.js';
import { idPattern, type ManifestFile, versionPattern } from './manifest-schema.js';
import type { ProblemList } from './problem-list.js';
import { isUnprintable, quote } from './quote.js';

const coreTypes: readonly PluginType[] = ['channel', 'model', 'skill', 'mcp'];
const kinds: Readonly<Partial<Record<PluginType, Manifest['kind']>>> = { 'model-provider': 'model', 'skill-bundle': 'bundle' };

type Identity = Pick<Manifest, 'id' | 'name' | 'author' | 'type' | 'kind' | 'version' | 'description' | 'license' | 'tags' | 'source'>;

/** Id, kind, version and what people read. Blank counts as missing, as it does in the host. */
export function readIdentity(file: Checked<ManifestFile>, problems: ProblemList): Identity {
  for (const field of ['id', 'name', 'author', 'type', 'version'] as const) {
    const value = file[field];
    if (value?.trim() === '') problems.add('MISSING_FIELD', [field], `${field} is required and must not be blank; fill it in.`);
  }
  for (const field of ['name', 'author', 'version', 'license', 'source'] as const) checkPrintable(file[field], [field], problems);
  checkPrintable(file.description, ['description'], problems, true);
  file.tags?.forEach((tag, index) => {
    checkPrintable(tag, ['tags', index], problems);
  });
  const type = readType(file.type, problems);
  return {
    id: readId(file.id, problems),
    name: file.name ?? '',
    author: file.author ?? '',
    type,
    kind: kinds[type] ?? (type as Manifest['kind']),
    version: readVersion(file.version, problems),
    description: file.description,
    license: file.license,
    tags: (file.tags ?? []).filter((tag) => tag !== undefined),
    source: file.source,
  };
}

/** Notes a problem when text that people will read could deceive them or their terminal. */
export function checkPrintable(text: string | undefined, path: readonly (string | number)[], problems: ProblemList, allowLines = false): void {
  if (text !== undefined && isUnprintable(text, allowLines)) {
    problems.add(
      'UNPRINTABLE_TEXT',
      path,
      `${String(path[0])} must not hold control characters or characters that turn the direction of writing; remove them.`,
    );
  }
}

function readId(id: string | undefined, problems: ProblemList): string {
  if (id === undefined || id.trim() === '') return '';
  if (!idPattern.test(id)) {
    const message = `${quote(id)} is no plugin id; use 1 to 64 lower-case letters, digits and hyphens, beginning with a letter or digit, as my-plugin or author/my-plugin.`;
    problems.add('INVALID_ID', ['id'], message);
  } else if (id.includes('/')) {
    problems.add('ID_NOT_IN_CORE', ['id'], `The Java core refuses ids with a slash; ${quote(id.slice(id.indexOf('/') + 1))} works everywhere.`);
  }
  return id;
}

function readType(written: string | undefined, problems: ProblemList): PluginType {
  if (written === undefined || written.trim() === '') return 'external';
  const word = written.trim().toLowerCase().replaceAll('_', '-');
  const type = pluginTypes.find((known) => known === word);
  if (type === undefined) {
    const suggestion = nearest(word, pluginTypes) ?? `one of ${pluginTypes.join(', ')}`;
    problems.add('UNKNOWN_TYPE', ['type'], `There is no plugin type ${quote(written)}; use ${suggestion}.`);
    return 'external';
  }
  if (!coreTypes.includes(type)) {
    const known = kinds[type] === 'model' ? 'model works everywhere' : `it knows ${coreTypes.join(', ')}`;
    problems.add('TYPE_NOT_IN_CORE', ['type'], `The Java core refuses the type ${type}; ${known}.`);
  }
  return type;
}

function readVersion(version: string | undefined, problems: ProblemList): string {
  if (version === undefined || version.trim() === '') return '';
  if (!versionPattern.test(version))
    problems.add('INVALID_VERSION', ['version'], `${quote(version)} is no version; write three numbers, as 1.0.0 or 1.0.0-beta.`);
  return version;
}
