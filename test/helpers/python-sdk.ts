import { spawnSync } from 'node:child_process';
import { preparePythonPlugin } from '../../examples/demo/python.js';

/** A Python that can import the SDK of this project. */
export interface PythonSdk {
  /** For `describe.skipIf(…)`. Always false where CI is set: a missing tool is an error there. */
  readonly missing: boolean;
  /** The interpreter; empty where it is missing. */
  readonly interpreter: string;
}

/** What the extra `synapse-worker[websocket]` installs, of a fixed version. */
const websockets = 'websockets==15.0.1';

/**
 * States that the tests of a file need Python with the SDK; the demo's own environment serves them too. @param extras `websocket` for those that dial a
 * WebSocket.
 */
export function requirePythonSdk(...extras: readonly 'websocket'[]): PythonSdk {
  const prepared = preparePythonPlugin();
  if ('problem' in prepared) return without(prepared.problem);
  const interpreter = `${prepared.directory}/.venv/bin/python`;
  if (extras.includes('websocket') && !runs(interpreter, '-c', 'import websockets')) {
    const installed = runs(interpreter, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:', websockets);
    if (!installed) return without(`"pip install ${websockets}" failed`);
  }
  return { missing: false, interpreter };
}

function without(problem: string): PythonSdk {
  if (process.env.CI) throw new Error(`${problem}, and under CI no test may be skipped for that.`);
  process.stderr.write(`SKIPPED: ${problem}; the tests that need Python are skipped.\n`);
  return { missing: true, interpreter: '' };
}

function runs(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore', timeout: 180_000 }).status === 0;
}
