import { preparePythonPlugin } from '../../examples/demo/python.js';

/** A Python that can import the SDK of this project. */
export interface PythonSdk {
  /** For `describe.skipIf(…)`. Always false where CI is set: a missing tool is an error there. */
  readonly missing: boolean;
  /** The interpreter; empty where it is missing. */
  readonly interpreter: string;
}

/** States that the tests of a file need Python with the SDK; the demo's own environment serves them too. */
export function requirePythonSdk(): PythonSdk {
  const prepared = preparePythonPlugin();
  if ('directory' in prepared) return { missing: false, interpreter: `${prepared.directory}/.venv/bin/python` };
  if (process.env.CI) throw new Error(`${prepared.problem}, and under CI no test may be skipped for that.`);
  process.stderr.write(`SKIPPED: ${prepared.problem}; the tests that need Python are skipped.\n`);
  return { missing: true, interpreter: '' };
}
