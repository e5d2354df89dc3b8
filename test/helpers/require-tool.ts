import { spawnSync } from 'node:child_process';

/** Whether a tool that a test needs is there. */
export interface RequiredTool {
  /** For `describe.skipIf(…)`. Always false where CI is set: a missing tool is an error there. */
  readonly missing: boolean;
}

/**
 * States that the tests of a file need `command` on the PATH. Where it is missing, they fail under CI, and are skipped elsewhere with a line that says so.
 */
export function requireTool(command: string, args: readonly string[] = ['--version']): RequiredTool {
  const { error, status } = spawnSync(command, args, { stdio: 'ignore' });
  if (error === undefined && status === 0) return { missing: false };
  const what = `${command} ${args.join(' ')} does not run on this machine`;
  if (process.env.CI) throw new Error(`${what}, and under CI no test may be skipped for that.`);
  process.stderr.write(`SKIPPED: ${what}; the tests that need it are skipped.\n`);
  return { missing: true };
}
