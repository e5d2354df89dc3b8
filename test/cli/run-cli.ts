import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../../scripts/run.js';

/** The built command. */
export const bin = join(root, 'dist/cli/main.js');
/** Plugins for the tests, each in a folder. */
export const plugins = join(root, 'test/fixtures/plugins');

/** What the command ended with. */
export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command while it runs. */
export interface RunningCli {
  readonly child: ChildProcess;
  readonly ended: Promise<CliResult>;
  /** Resolves when standard output and standard error together hold the text. */
  until(text: string): Promise<void>;
}

/** Starts `synapse-worker`; without `input` its standard input is empty. */
export function startCli(args: readonly string[], input = ''): RunningCli {
  const child = spawn(process.execPath, [bin, ...args], { cwd: join(root, 'test/fixtures'), stdio: ['pipe', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
      for (const look of waiting) look();
    });
  }
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const ended = new Promise<CliResult>((resolve) => child.once('close', (status) => resolve({ status, ...said })));
  return {
    child,
    ended,
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!`${said.stdout}${said.stderr}`.includes(text)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
        void ended.then((result) => reject(new Error(`It ended without saying ${JSON.stringify(text)}: ${JSON.stringify(result)}`)));
      }),
  };
}

/** Runs `synapse-worker` to its end. */
export function cli(...args: readonly string[]): Promise<CliResult> {
  return startCli(args).ended;
}

/** Runs it with `--json` and reads what it printed, which must be one line. */
export async function cliJson(...args: readonly string[]): Promise<CliResult & { readonly json: unknown }> {
  const result = await cli(...args, '--json');
  if (!/^[^\n]+\n$/.test(result.stdout)) throw new Error(`Not one line: ${JSON.stringify(result)}`);
  return { ...result, json: JSON.parse(result.stdout) };
}

/** Whether a process of this number exists. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
