import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cruise, type IConfiguration, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser';
import ts from 'typescript';
import { root } from './run.js';

/** One broken import rule. */
export interface LayerViolation {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
  readonly comment: string;
}

/** What `.dependency-cruiser.cjs` exports beside the tool's own fields. */
interface LayerConfiguration extends IConfiguration {
  readonly importers: Readonly<Record<string, { readonly files: string; readonly severalFiles?: boolean }>>;
}

const sourceFolders = ['src', 'transports'];

/**
 * Checks the import rules of `.dependency-cruiser.cjs` over a tree that has `src/` and `transports/`.
 *
 * @throws Error when the tool saw fewer files than there are: with a compiler that it does not know it checks nothing and reports success.
 */
export async function findLayerViolations(base: string): Promise<LayerViolation[]> {
  const config = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as LayerConfiguration;
  const { output } = await cruise(sourceFolders, {
    ...config.options,
    baseDir: base,
    validate: true,
    ruleSet: { forbidden: config.forbidden ?? [] } as IFlattenedRuleSet,
    outputType: undefined,
  });
  const result = output as ICruiseResult;
  const files = sourceFolders.flatMap((folder) => sourceFilesUnder(base, folder));
  const seen = new Set(result.modules.map((module) => module.source));
  const unseen = files.filter((file) => !seen.has(file));
  if (files.length === 0 || unseen.length > 0) {
    throw new Error(`dependency-cruiser saw ${files.length - unseen.length} of ${files.length} files; not seen: ${unseen.slice(0, 5).join(', ')}`);
  }
  const violations = result.summary.violations.map(
    ({ rule, from, to }): LayerViolation => ({ rule: rule.name, from, to, comment: ruleComment(config, rule.name) }),
  );
  return [...violations, ...secondImporters(config, result), ...files.flatMap((file) => importsOfItself(base, file))];
}

/** All importers but the first, by name, of every dependency that has one importing file; those in a wrong place have their own rule. */
function secondImporters({ importers }: LayerConfiguration, result: ICruiseResult): LayerViolation[] {
  return Object.entries(importers)
    .filter(([, { severalFiles }]) => !severalFiles)
    .flatMap(([name, { files }]) => {
      const permitted = result.modules.filter((module) => new RegExp(files).test(module.source));
      const importing = permitted.filter((module) => module.dependencies.some(({ resolved }) => resolved.includes(`node_modules/${name}/`)));
      const [first, ...others] = importing.map((module) => module.source).sort();
      const comment = `${name} has one importing file, and ${first} is one already.`;
      return others.map((from) => ({ rule: `one-importer-of-${name}`, from, to: name, comment }));
    });
}

/** The package's own name resolves to `dist`, a second copy of everything; the tool above does not see it where `dist` is missing. */
function importsOfItself(base: string, file: string): LayerViolation[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(base, file), 'utf8'), true, true);
  return importedFiles
    .filter(({ fileName }) => fileName === '@synapse/worker-runtime' || fileName.startsWith('@synapse/worker-runtime/'))
    .map(({ fileName }) => ({ rule: 'no-own-name', from: file, to: fileName, comment: 'src imports its own files, never the built package.' }));
}

function ruleComment(config: IConfiguration, name: string): string {
  return config.forbidden?.find((rule) => rule.name === name)?.comment ?? '';
}

function sourceFilesUnder(base: string, folder: string): string[] {
  return readdirSync(join(base, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(base.length + 1));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const violations = await findLayerViolations(root);
  for (const { rule, from, to, comment } of violations) console.error(`${from} → ${to}\n  ${rule}: ${comment}`);
  const files = sourceFolders.flatMap((folder) => sourceFilesUnder(root, folder)).length;
  console.log(`import rules: ${files} files, ${violations.length} violations`);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
