import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const examples = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where the Python plugin is ready to run, or why it is not. */
export type PythonPlugin = { readonly directory: string } | { readonly problem: string };

/**
 * Makes the virtual environment of the Python summarizer, with its pinned packages and this project's SDK, unless it is
 * there already. Never throws: whatever is missing is the answer.
 */
export function preparePythonPlugin(say: (line: string) => void = () => {}): PythonPlugin {
  const python = process.env.SYNAPSE_DEMO_PYTHON ?? 'python3';
  const directory = join(examples, 'python-summarizer');
  const environment = join(directory, '.venv');
  const interpreter = join(environment, 'bin', 'python');
  const requirements = join(directory, 'requirements.txt');
  const stamp = join(environment, 'requirements.stamp');
  const wanted = readFileSync(requirements, 'utf8');

  const version = run(python, ['-c', 'import sys; print(sys.version_info >= (3, 10))']);
  if (!version.ok) return { problem: `${python} cannot be run (${version.problem})` };
  if (version.output.trim() !== 'True') return { problem: `${python} is older than 3.10` };
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && run(interpreter, ['-c', 'import synapse_worker']).ok) return { directory };

  say('The virtual environment of the Python plugin is made now; this takes a moment, once.');
  rmSync(environment, { recursive: true, force: true });
  const steps: readonly (readonly [string, readonly string[]])[] = [
    [python, ['-m', 'venv', environment]],
    [interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:', '-r', requirements]],
  ];
  for (const [program, args] of steps) {
    const step = run(program, args);
    if (!step.ok) {
      rmSync(environment, { recursive: true, force: true });
      return { problem: `"${args.slice(0, 3).join(' ')}" failed (${step.problem})` };
    }
  }
  // The SDK is used from this project's own folder, so that the demo shows what stands there.
  const packages = run(interpreter, ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))']).output.trim();
  writeFileSync(join(packages, 'synapse-worker.pth'), `${join(dirname(examples), 'sdk', 'python', 'src')}\n`);
  const check = run(interpreter, ['-c', 'import synapse_worker']);
  if (!check.ok) return { problem: `the SDK cannot be imported (${check.problem})` };
  writeFileSync(stamp, wanted);
  return { directory };
}

function run(program: string, args: readonly string[]): { readonly ok: boolean; readonly output: string; readonly problem: string } {
  const result = spawnSync(program, args, { encoding: 'utf8', timeout: 180_000, stdio: ['ignore', 'pipe', 'pipe'] });
  const problem = result.error?.message ?? result.stderr?.trim().split('\n').at(-1) ?? `exit ${result.status}`;
  return { ok: result.status === 0, output: result.stdout ?? '', problem };
}
