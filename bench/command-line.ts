import { parseArgs } from 'node:util';
import { families, transports } from './plan.js';

/** What was asked for. */
export interface BenchOptions {
  /** Fewer and shorter rounds: under 50 seconds for all. */
  readonly quick: boolean;
  /** Results as JSON on standard output, and nothing else there. */
  readonly json: boolean;
  /** Names of transports or workloads; empty means all. */
  readonly only: readonly string[];
}

/** Reads the command line; a string says what is wrong with it. */
export function readCommandLine(args: readonly string[]): BenchOptions | string {
  const known = [...transports, ...families];
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true, default: [] },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const only = values.only.flatMap((names) => names.split(','));
    const unknown = only.filter((name) => !known.includes(name));
    if (unknown.length > 0) return `There is no benchmark "${unknown.join('", "')}"; --only takes ${known.join(', ')}.`;
    return { quick: values.quick, json: values.json, only };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\nUse: npm run bench -- [--quick] [--json] [--only NAME]… with ${known.join(', ')}.`;
  }
}
