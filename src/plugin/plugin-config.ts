import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';

/**
 * A plugin's configuration, with the reading functions of the host's Java plugin API. A value that is missing, null or blank (an empty
 * or white text) counts as absent: then the default is returned.
 */
export class PluginConfig {
  /** All of it, as the host sent it. */
  readonly values: Readonly<Record<string, unknown>>;

  /** @param values - A map as the host sends it. */
  constructor(values: Readonly<Record<string, unknown>>) {
    this.values = values;
  }

  /** Whether there is a value. */
  has(key: string): boolean {
    return this.#read(key) !== undefined;
  }

  /** A text; numbers and booleans are written out. @throws INVALID_CONFIG if it is a list or a map. */
  getString(key: string): string | undefined;
  /** The same, with a default for when it is absent. */
  getString(key: string, byDefault: string): string;
  getString(key: string, byDefault?: string): string | undefined {
    const value = this.#read(key);
    if (value === undefined) return byDefault;
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
    throw wrong(key, 'a text');
  }

  /** A boolean; the texts `true` and `false` count, in any case. @throws INVALID_CONFIG if it is something else. */
  getBoolean(key: string): boolean | undefined;
  /** The same, with a default for when it is absent. */
  getBoolean(key: string, byDefault: boolean): boolean;
  getBoolean(key: string, byDefault?: boolean): boolean | undefined {
    const value = this.#read(key);
    if (value === undefined) return byDefault;
    const text = String(value).trim().toLowerCase();
    if (text === 'true' || text === 'false') return text === 'true';
    throw wrong(key, 'true or false');
  }

  /** A whole number; its digits as a text count. @throws INVALID_CONFIG if it is something else, or beyond 2^53. */
  getInt(key: string): number | undefined;
  /** The same, with a default for when it is absent. */
  getInt(key: string, byDefault: number): number;
  getInt(key: string, byDefault?: number): number | undefined {
    const value = this.#read(key);
    if (value === undefined) return byDefault;
    const digits = typeof value === 'string' ? /^\s*[+-]?\d+\s*$/.test(value) : typeof value === 'number' || typeof value === 'bigint';
    const number = digits ? Number(value) : Number.NaN;
    if (Number.isSafeInteger(number)) return number;
    throw wrong(key, 'a whole number');
  }

  /** A secret text. @throws INVALID_CONFIG if there is none. */
  getSecret(key: string): string {
    const secret = this.getString(key);
    if (secret !== undefined) return secret;
    throw new WorkerRuntimeError(
      'INVALID_CONFIG',
      `The configuration has no "${key}", which the plugin needs. Set it in the plugin's configuration.`,
      {
        details: { key },
      },
    );
  }

  /** A secret text, or undefined if there is none. */
  getSecretOptional(key: string): string | undefined {
    return this.getString(key);
  }

  #read(key: string): unknown {
    // Own keys only: "constructor" is not configured unless somebody did.
    const value = Object.hasOwn(this.values, key) ? this.values[key] : undefined;
    return value === null || (typeof value === 'string' && value.trim() === '') ? undefined : value;
  }
}

function wrong(key: string, wanted: string): WorkerRuntimeError {
  // The value is left out: it may be a secret.
  return new WorkerRuntimeError('INVALID_CONFIG', `"${key}" of the configuration must be ${wanted}.`, { details: { key } });
}
