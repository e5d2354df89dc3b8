import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel, type ExtractorMessage } from '@microsoft/api-extractor';
import { libraryEntries } from '../tsup.config.js';
import { Checks, root, run } from './run.js';

// Compares the public face of every entry with its report under api/. `--local` writes the reports anew: the change is then seen in review.
const local = process.argv.includes('--local');
const checks = new Checks();

/** The report of an entry: `node/index` → `node.api.md`, `transports/stdio/index` → `transports-stdio.api.md`. */
function reportName(entry: string): string {
  return `${entry.replace(/\/index$/, '').replaceAll('/', '-')}.api.md`;
}

/** The names that a report lists. */
function exportedNames(report: string): string[] {
  const text = existsSync(report) ? readFileSync(report, 'utf8') : '';
  return [...text.matchAll(/^export (?:declare )?(?:abstract )?(?:class|interface|type|const|function|enum) (\w+)/gm)].map(([, name = '']) => name);
}

function configOf(source: string, report: string): ExtractorConfig {
  const configFile = join(root, 'api-extractor.json');
  const configObject = ExtractorConfig.loadFile(configFile);
  configObject.mainEntryPointFilePath = join(root, 'build/types', source.replace(/\.ts$/, '.d.ts'));
  configObject.apiReport = { ...configObject.apiReport, enabled: true, reportFileName: report };
  return ExtractorConfig.prepare({ configObject, configObjectFullPath: configFile, packageJsonFullPath: join(root, 'package.json') });
}

const compiled = await run(process.execPath, [join(root, 'node_modules/typescript/lib/tsc.js'), '-b', 'tsconfig.core.json', 'tsconfig.node.json']);
if (!compiled.ok) {
  checks.note('declarations for the reports', compiled.output);
} else {
  mkdirSync(join(root, 'api'), { recursive: true });
  const entries = Object.entries(libraryEntries).map(([entry, source]) => ({ report: reportName(entry), source }));
  const configs = entries.map(({ report, source }) => configOf(source, report));
  const [first, ...others] = configs as [ExtractorConfig, ...ExtractorConfig[]];
  // One program for all entries: a second for the lot, instead of two for each.
  const compilerState = CompilerState.create(first, { additionalEntryPoints: others.map((config) => config.mainEntryPointFilePath) });

  // What another entry exports is documented there: a subpath entry need not export it again.
  const exported = new Set<string>();
  configs.forEach((config, index) => {
    const problems: string[] = [];
    const messageCallback = (message: ExtractorMessage): void => {
      message.handled = true;
      if (message.logLevel !== ExtractorLogLevel.Error && message.logLevel !== ExtractorLogLevel.Warning) return;
      if (local && /^console-api-report-(copied|created)$/.test(message.messageId)) return;
      const forgotten = message.messageId === 'ae-forgotten-export' ? /^The symbol "(\w+)"/.exec(message.text)?.[1] : undefined;
      if (forgotten !== undefined && exported.has(forgotten)) {
        message.logLevel = ExtractorLogLevel.None;
        return;
      }
      const place = message.sourceFilePath === undefined ? '' : `${message.sourceFilePath.replace(`${root}/`, '')}:${message.sourceFileLine ?? 1} `;
      problems.push(`${place}${message.messageId}: ${message.text}`);
    };
    const result = Extractor.invoke(config, { compilerState, localBuild: local, messageCallback });
    for (const name of exportedNames(config.reportFilePath)) exported.add(name);
    if (result.apiReportChanged && !local) problems.push('The public face changed. If that is meant: npm run api:update, and commit the report.');
    if (!result.succeeded && problems.length === 0 && !local) problems.push('api-extractor failed without saying why.');
    checks.note(`api/${entries[index]?.report}`, problems.length > 0 ? problems.join('\n') : undefined);
  });
}
checks.finish();
