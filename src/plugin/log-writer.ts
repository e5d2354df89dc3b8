import type { Clock } from '../interfaces/platform.js';
import type { PluginLog, PluginLogFunction } from './context.js';
import { toLoggable, toLoggableText } from './loggable.js';
import type { Redactor } from './redactor.js';

/** Lines that are kept while the host takes none. */
const maxKeptLines = 1_000;
/** Characters, roughly, of the lines that are kept. */
const maxKeptLength = 1_048_576;

type Level = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

interface Line {
  readonly params: Readonly<Record<string, unknown>>;
  readonly length: number;
}

/** What a log writer is made of. */
export interface LogWriterOptions {
  readonly clock: Clock;
  readonly redactor: Redactor;
  /** Sends a `log.write`; false if the host takes none now. May throw on values that cannot be sent. */
  notify(params: Readonly<Record<string, unknown>>): boolean;
}

/** The way of a plugin's log lines to the host: never throws, never waits, and keeps a bounded number of lines while the host takes none. */
export class LogWriter {
  readonly log: PluginLog = {
    debug: this.#level('debug'),
    info: this.#level('info'),
    warn: this.#level('warn'),
    error: this.#level('error'),
    fatal: this.#level('fatal'),
  };
  readonly #options: LogWriterOptions;
  #kept: Line[] = [];
  #keptLength = 0;
  #dropped = 0;
  #closed = false;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  /** The host takes lines again. */
  resume(): void {
    if (this.#dropped > 0) {
      const lines = this.#dropped === 1 ? '1 log line was' : `${this.#dropped} log lines were`;
      const notice = this.#line('warn', { dropped: this.#dropped }, `${lines} dropped here: the plugin logs faster than the host takes it.`);
      if (!this.#send(notice)) return;
      this.#dropped = 0;
    }
    let sent = 0;
    while (sent < this.#kept.length && this.#send(this.#kept[sent] as Line)) sent += 1;
    for (const line of this.#kept.splice(0, sent)) this.#keptLength -= line.length;
  }

  /** The session is over: nobody reads any more. */
  close(): void {
    this.#closed = true;
    this.#kept = [];
  }

  #level(level: Level): PluginLogFunction {
    return (first: Readonly<Record<string, unknown>> | string, message?: string) => {
      if (this.#closed) return;
      this.#write(typeof first === 'string' ? this.#line(level, undefined, first) : this.#line(level, first, message ?? ''));
    };
  }

  #line(level: Level, fields: Readonly<Record<string, unknown>> | undefined, message: string): Line {
    const { clock, redactor } = this.#options;
    const text = toLoggableText(String(message), redactor);
    const shown = fields === undefined || fields === null ? undefined : toLoggable(fields instanceof Error ? { err: fields } : fields, redactor);
    return {
      // The host wants a map of fields, whatever an author in plain JavaScript passes.
      params: {
        level,
        message: text,
        ...(shown === undefined ? {} : { fields: isMap(shown.value) ? shown.value : { value: shown.value } }),
        time: isoTime(clock),
      },
      length: text.length + (shown?.length ?? 0) + 64,
    };
  }

  #write(line: Line): void {
    if (this.#kept.length === 0 && this.#dropped === 0 && this.#send(line)) return;
    this.#kept.push(line);
    this.#keptLength += line.length;
    let surplus = 0;
    while (this.#kept.length - surplus > maxKeptLines || this.#keptLength > maxKeptLength) {
      this.#keptLength -= (this.#kept[surplus] as Line).length;
      surplus += 1;
    }
    if (surplus === 0) return;
    this.#kept.splice(0, surplus);
    this.#dropped += surplus;
  }

  /** @returns whether the line needs no more care. */
  #send(line: Line): boolean {
    try {
      return this.#options.notify(line.params);
    } catch {
      // The limits of the session are narrower than those of a log line: its message is worth more than its fields.
      const { level, message, time } = line.params;
      try {
        return this.#options.notify({ level, message: String(message).slice(0, 1_024), time, fields: { cut: true } });
      } catch {
        return true;
      }
    }
  }
}

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isoTime(clock: Clock): string {
  return new Date(clock.wallTime()).toISOString();
}
