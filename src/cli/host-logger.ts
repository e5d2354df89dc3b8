import { isWorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { LogFunction, Logger } from '../interfaces/logger.js';
import type { ReportedLine } from './run-report.js';

/** A logger for a host whose warnings and errors are reported; the lines of plugins come by the notification `plugin.log`, which knows more levels. */
export function hostLogger(report: (line: ReportedLine) => void): Logger {
  const at =
    (level: 'warn' | 'error'): LogFunction =>
    ({ err, ...fields }, message) => {
      // A plugin's line has a source; a change of its state, which the failure of the run explains better, has a next state.
      if ('source' in fields || 'to' in fields) return;
      const cause = err instanceof Error ? { error: isWorkerRuntimeError(err) ? `${err.code}: ${err.message}` : (err.stack ?? err.message) } : {};
      report({ level, source: 'host', message, fields: { ...fields, ...cause } });
    };
  return { debug() {}, info() {}, warn: at('warn'), error: at('error') };
}
