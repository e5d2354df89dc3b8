import { nearest } from '../errors/nearest.js';
import type { Checked } from './check-shape.js';
import { readEntryPath } from './entry-path.js';
import { isEnvironmentName, isRefusedEnvironment } from './environment-rules.js';
import { type ManifestRuntime, type RuntimeType, runtimeTypes } from './manifest.js';
import type { ManifestFile } from './manifest-schema.js';
import type { PluginFiles } from './plugin-files.js';
import type { Path } from './pointer.js';
import type { ProblemList } from './problem-list.js';
import { quote } from './quote.js';
import type { SourceTree } from './source-tree.js';

const otherWords: Readonly<Record<string, RuntimeType>> = {
  python3: 'python',
  node: 'nodejs',
  'node.js': 'nodejs',
  javascript: 'nodejs',
  golang: 'go',
  binary: 'executable',
  exec: 'executable',
};
const maxEnvironmentEntries = 64;

/** The runtime section with the path of each part, whichever dialect it was written in. */
interface Written {
  readonly type: string | undefined;
  readonly typePath: Path;
  readonly entries: readonly (readonly [text: string, path: Path])[];
  readonly args: readonly (string | undefined)[];
  readonly argsPath: Path;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly envPath: Path;
  readonly channel: 'fd' | 'stdio' | undefined;
  readonly minVersion: string | undefined;
  readonly minVersionPath: Path;
}

/** How the worker is started; undefined, with a warning or an error noted, when it cannot be. */
export function readRuntime(
  file: Checked<ManifestFile>,
  tree: SourceTree,
  files: PluginFiles | undefined,
  problems: ProblemList,
): ManifestRuntime | undefined {
  const written = gather(file);
  if (written === undefined) {
    const node = tree.nodeAt(['runtime']);
    if (node === undefined || (node.kind === 'scalar' && node.value === null))
      problems.add(
        'NO_RUNTIME',
        ['runtime'],
        'Without a runtime section the plugin cannot be started here; add runtime with type and entry, or leave it to the host that can run it.',
      );
    return undefined;
  }
  const type = readType(written, problems);
  const entry = readEntry(written, type, files, problems);
  checkMinVersion(written, problems);
  for (const [index, argument] of written.args.entries()) {
    if (argument?.includes('\0')) problems.add('INVALID_ARGS', [...written.argsPath, index], 'An argument must not hold a NUL character; remove it.');
  }
  const env = readEnvironment(written, problems);
  if (type === undefined) return undefined;
  const args = written.args.filter((argument) => argument !== undefined);
  return { type, entry, args, env, channel: written.channel ?? 'fd', minVersion: written.minVersion };
}

function gather(file: Checked<ManifestFile>): Written | undefined {
  const runtime = file.runtime ?? file.runtime_type;
  const typePath = file.runtime === undefined ? ['runtime_type'] : ['runtime'];
  const legacyEntries = (['entry_point', 'entrypoint'] as const).flatMap((name) => {
    const value = file[name];
    return typeof value === 'string' ? [[value, [name]] as const] : [];
  });
  if (typeof runtime === 'string') {
    // `runtime: python3.11` with the rest beside it.
    const match = /^(.*?)[- ]?(\d+(?:\.\d+){0,2})$/.exec(runtime);
    const known = match?.[1] !== undefined && match[1] !== '' ? { type: match[1], minVersion: match[2] } : { type: runtime, minVersion: undefined };
    return {
      ...known,
      typePath,
      minVersionPath: typePath,
      entries: legacyEntries,
      args: file.args ?? [],
      argsPath: ['args'],
      env: file.env ?? {},
      envPath: ['env'],
      channel: undefined,
    };
  }
  if (runtime === undefined) return undefined;
  const ownEntries = (['entry', 'entry_point', 'entrypoint'] as const).flatMap((name) => {
    const value = runtime[name];
    return value === undefined ? [] : [[value, ['runtime', name]] as const];
  });
  return {
    type: runtime.type,
    typePath: ['runtime', 'type'],
    // With `language: java` the top-level entry point is the name of a class for the Java core.
    entries: ownEntries.length > 0 || file.language === 'java' ? ownEntries : legacyEntries,
    args: runtime.args ?? file.args ?? [],
    argsPath: runtime.args === undefined ? ['args'] : ['runtime', 'args'],
    env: runtime.env ?? file.env ?? {},
    envPath: runtime.env === undefined ? ['env'] : ['runtime', 'env'],
    channel: runtime.channel,
    minVersion: runtime.min_version,
    minVersionPath: ['runtime', 'min_version'],
  };
}

function readType({ type: written, typePath }: Written, problems: ProblemList): RuntimeType | undefined {
  if (written === undefined) return undefined;
  const word = written.trim().toLowerCase();
  const type = runtimeTypes.find((known) => known === word) ?? (Object.hasOwn(otherWords, word) ? otherWords[word] : undefined);
  if (type !== undefined) return type;
  const suggestion = nearest(word, [...runtimeTypes, ...Object.keys(otherWords)]);
  const repair =
    word === 'java' ? 'Java plugins run inside the Java core; leave the runtime section out' : `use ${suggestion ?? runtimeTypes.join(', ')}`;
  problems.add('UNKNOWN_RUNTIME', typePath, `There is no runtime ${quote(written)}; ${repair}.`);
  return undefined;
}

function readEntry(
  { entries, typePath }: Written,
  type: RuntimeType | undefined,
  files: PluginFiles | undefined,
  problems: ProblemList,
): string | undefined {
  const [first, ...others] = entries;
  const place = typePath.length > 1 ? ['runtime', 'entry'] : ['entrypoint'];
  if (first === undefined) {
    if (type !== undefined && type !== 'external')
      problems.add('MISSING_FIELD', place, `${place.join('.')} is required: the path of the program, as src/main.py.`);
    return undefined;
  }
  for (const [text, path] of others) {
    if (text !== first[0]) problems.add('CONFLICTING_FIELDS', path, `The entry point is also given as ${quote(first[0])}; keep one of the two.`);
  }
  const read = readEntryPath(first[0]);
  if ('repair' in read) {
    problems.add('INVALID_ENTRY', first[1], `The entry point ${quote(first[0])} ${read.repair}.`);
    return undefined;
  }
  if (files !== undefined) checkEntryFile(read.path, files, type, first[1], problems);
  return read.path;
}

function checkEntryFile(entry: string, files: PluginFiles, type: RuntimeType | undefined, path: Path, problems: ProblemList): void {
  const file = files.find(entry);
  if (file?.kind !== 'file') {
    problems.add(
      'ENTRY_NOT_FOUND',
      path,
      `The entry point ${quote(entry)} ${file === undefined ? 'does not exist in the folder of the plugin' : 'is a folder'}; name the file that starts the plugin.`,
    );
  } else if ((type === 'executable' || type === 'go') && !file.executable) {
    problems.add('ENTRY_NOT_EXECUTABLE', path, `The entry point ${quote(entry)} may not be executed; set its executable bit (chmod +x).`);
  }
}

function checkMinVersion({ minVersion, minVersionPath }: Written, problems: ProblemList): void {
  if (minVersion === undefined || /^\d{1,6}(?:\.\d{1,6}){0,2}$/.test(minVersion)) return;
  problems.add(
    'INVALID_VERSION',
    minVersionPath,
    `${quote(minVersion)} is no version of an interpreter; write one to three numbers in quotes, as "3.11".`,
  );
}

function readEnvironment({ env: written, envPath }: Written, problems: ProblemList): Record<string, string> {
  const env: Record<string, string> = {};
  const entries = Object.entries(written);
  if (entries.length > maxEnvironmentEntries)
    problems.add('TOO_LONG', envPath, `${envPath.join('.')} must have at most ${maxEnvironmentEntries} entries.`);
  for (const [name, value] of entries) {
    const path = [...envPath, name];
    if (!isEnvironmentName(name))
      problems.addAtKey(
        'INVALID_ENVIRONMENT',
        path,
        `${quote(name)} is no name of an environment entry; use letters, digits and underscores, and no digit first.`,
      );
    else if (isRefusedEnvironment(name))
      problems.addAtKey('FORBIDDEN_ENVIRONMENT', path, `${name} must not be set by a manifest: it can load code or belongs to the host; remove it.`);
    else if (value?.includes('\0')) problems.add('INVALID_ENVIRONMENT', path, `The value of ${name} must not hold a NUL character; remove it.`);
    else if (value !== undefined) env[name] = value;
  }
  return env;
}
