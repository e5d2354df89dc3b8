import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The project's root folder, with no trailing slash. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** What a command ended with; `output` is stdout and stderr in order of arrival. */
export interface RunResult {
  readonly ok: boolean;
  readonly output: string;
  readonly stdout: string;
}

/** How a command is run. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Also show the output as it comes. Default: false, the caller decides what to show. */
  readonly live?: boolean;
}

/** Runs one command to its end, without a shell and without standard input. Never rejects: a command that cannot start is `ok: false`. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: options.cwd ?? root, env: options.env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      stdout += text;
      if (options.live) process.stdout.write(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (options.live) process.stderr.write(text);
    });
    child.on('error', (error) => resolve({ ok: false, output: `${output}${command}: ${error.message}\n`, stdout }));
    child.on('close', (code) => resolve({ ok: code === 0, output, stdout }));
  });
}

/** Prints outcomes one per line as they come, and at the end sets the exit code: 1 when any of them failed. */
export class Checks {
  #failed = 0;
  #passed = 0;

  /** Notes one outcome; `problem` is the sentence to show, and its absence means that the check passed. */
  note(name: string, problem?: string): void {
    if (problem === undefined) {
      this.#passed += 1;
      console.log(`ok    ${name}`);
    } else {
      this.#failed += 1;
      console.log(`FAIL  ${name}\n${problem.trimEnd().replace(/^/gm, '      ')}`);
    }
  }

  /** Says how it went, and makes the process fail if anything did. No check at all is a failure too. */
  finish(): void {
    console.log(`${this.#passed} passed, ${this.#failed} failed`);
    process.exitCode = this.#failed > 0 || this.#passed === 0 ? 1 : 0;
  }
}
