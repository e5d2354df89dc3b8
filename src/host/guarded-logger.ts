import type { LogFunction, Logger } from '../interfaces/logger.js';

/** A logger that never throws, whatever the embedder's does: nothing here stops half-way because a line could not be written. */
export function guardedLogger(logger: Logger): Logger {
  const guard = (level: keyof Logger): LogFunction => {
    return (fields, message) => {
      try {
        logger[level](fields, message);
      } catch {
        // There is nobody left to tell.
      }
    };
  };
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') };
}
