import { stat } from 'node:fs/promises';
import type { Problem } from '../manifest/problem.js';
import { checkPlugin, type PluginCheck } from '../node/check-plugin.js';
import { type ExitStatus, exitStatus } from './exit-status.js';
import type { Terminal } from './terminal.js';

/** Options of {@link validate}. */
export interface ValidateOptions {
  /** Prints one JSON object instead of lines. */
  readonly json?: boolean;
}

/**
 * Says whether a plugin's folder, or a single manifest, could be installed, by the very checks of `host.install`. With `json` standard output
 * is exactly `{ valid, manifest, problems }`.
 */
export async function validate(path: string, { json = false }: ValidateOptions, terminal: Terminal): Promise<ExitStatus> {
  const check = await checkPlugin(path);
  const { valid, manifest = null, problems } = check;
  if (json) {
    await terminal.printJson({ valid, manifest, problems: problems.map(problemFields) });
  } else {
    for (const problem of problems) await terminal.print(`${check.file}:${problemText(problem)}`);
    await terminal.print(verdict(path, check));
  }
  if (check.checked === 'manifest') {
    terminal.note('Only the manifest was checked. Name its folder to check what stands there as well: that the entry point exists, for one.');
  }
  if (valid) return exitStatus.ok;
  // A path that leads nowhere says nothing about any plugin: the command was called wrongly.
  return (await exists(path)) ? exitStatus.failed : exitStatus.usage;
}

/** A problem as it is printed behind the name of its file: `line:column severity CODE message`. */
export function problemText({ line, column, severity, code, message }: Problem): string {
  return `${line}:${column} ${severity} ${code} ${message}`;
}

/** Exactly the fields that are promised, in their order. */
function problemFields({ severity, code, path, line, column, message }: Problem): Problem {
  return { severity, code, path, line, column, message };
}

function verdict(path: string, { valid, manifest, problems }: PluginCheck): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const counts = [count(errors, 'error'), count(problems.length - errors, 'warning')].filter((text) => text !== undefined).join(', ');
  const what = manifest === undefined ? path : `${manifest.id} ${manifest.version}`;
  return `${what} is ${valid ? 'valid' : 'not valid'}${counts === '' ? '.' : `: ${counts}.`}`;
}

function count(number: number, word: string): string | undefined {
  return number === 0 ? undefined : `${number} ${word}${number === 1 ? '' : 's'}`;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
