import type { Checked } from './check-shape.js';
import type { Manifest, PluginDependency } from './manifest.js';
import { idPattern, type ManifestFile } from './manifest-schema.js';
import type { Path } from './pointer.js';
import type { ProblemList } from './problem-list.js';
import { quote } from './quote.js';
import { constraintRepair, readVersionConstraint } from './version-constraint.js';

/** Wider than a constraint: `>=25`, as every Java plugin writes it. */
const looseVersion = /^(?:\*|(?:>=|<=|>|<|\^|~)?\d{1,10}(?:\.\d{1,10}){0,2}(?:-[0-9A-Za-z.-]+)?)$/;

type Requires = Manifest['requires'] & Pick<Manifest, 'minSynapse'>;
type Dependencies = NonNullable<Checked<ManifestFile>['soft_requires']>;

/** What the plugin needs of the host and of other plugins. */
export function readRequires(file: Checked<ManifestFile>, problems: ProblemList): Requires {
  const requires = file.requires ?? {};
  const seen = new Map<string, string>();
  for (const field of ['synapse_version', 'api_version'] as const) checkConstraint(requires[field], ['requires', field], problems);
  checkLoose(requires.java, ['requires', 'java'], problems);
  checkLoose(file.min_synapse, ['min_synapse'], problems);
  return {
    plugins: readDependencies(requires.plugins, ['requires', 'plugins'], file.id, seen, problems),
    softRequires: [
      ...readDependencies(requires.soft_requires, ['requires', 'soft_requires'], file.id, seen, problems),
      ...readDependencies(file.soft_requires, ['soft_requires'], file.id, seen, problems),
    ],
    synapseVersion: requires.synapse_version,
    apiVersion: requires.api_version,
    java: requires.java,
    minSynapse: file.min_synapse,
  };
}

function readDependencies(
  list: Dependencies | undefined,
  path: Path,
  ownId: string | undefined,
  seen: Map<string, string>,
  problems: ProblemList,
): PluginDependency[] {
  const dependencies: PluginDependency[] = [];
  for (const [index, entry] of (list ?? []).entries()) {
    if (entry?.id === undefined) continue;
    const at = [...path, index];
    const { id, version = '*', feature } = entry;
    const other = seen.get(id);
    if (!idPattern.test(id))
      problems.add('INVALID_DEPENDENCY', [...at, 'id'], `${quote(id)} is no plugin id; use the id that stands in the manifest of the other plugin.`);
    else if (id === ownId) problems.add('INVALID_DEPENDENCY', [...at, 'id'], 'A plugin cannot require itself; remove this entry.');
    else if (other !== undefined)
      problems.add('INVALID_DEPENDENCY', [...at, 'id'], `${quote(id)} is already required in ${other}; keep one of the two.`);
    seen.set(id, path.join('.'));
    checkConstraint(version, [...at, 'version'], problems);
    dependencies.push({ id, version, feature });
  }
  return dependencies;
}

function checkConstraint(text: string | undefined, path: Path, problems: ProblemList): void {
  if (text === undefined || readVersionConstraint(text) !== undefined) return;
  problems.add('INVALID_VERSION_CONSTRAINT', path, `${quote(text)} is no version constraint; ${constraintRepair}`);
}

function checkLoose(text: string | undefined, path: Path, problems: ProblemList): void {
  if (text === undefined || looseVersion.test(text)) return;
  problems.add('UNREADABLE_VERSION', path, `${quote(text)} is no version that the host could compare; ${constraintRepair}`);
}
