import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningPlugin } from '../plugin/running-plugin.js';

/** How long the host may take to read the last words. */
const lastWordsMs = 1_000;

/**
 * From now on an uncaught exception or unhandled rejection ends the process with status 1: state that an unknown error went through cannot be trusted,
 * and the host starts a fresh worker. The error is logged at the host, said in the goodbye and printed to standard error, without the plugin's secrets.
 */
export function onServeFault(running: () => RunningPlugin | undefined): void {
  let ending = false;
  const end = async (what: string, error: unknown): Promise<void> => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const run = running();
    process.stderr.write(`${what}: ${run === undefined ? text : run.redact(text)}\n`);
    if (ending) return;
    ending = true;
    if (run !== undefined) {
      const message = `${what}: ${error instanceof Error ? error.message : String(error)}`;
      run.log.fatal({ err: error }, message);
      await Promise.race([run.fail(run.redact(message)), sleep(lastWordsMs)]);
    }
    process.exit(1);
  };
  process.on('uncaughtException', (error) => void end('Uncaught exception', error));
  process.on('unhandledRejection', (reason) => void end('Unhandled rejection', reason));
}
