import { Redactor } from '../plugin/redactor.js';

/** A line of a secret that is shorter says nothing, and would be found everywhere. */
const minLineLength = 8;

/**
 * Makes the redactor of a plugin's secret configuration, for all that leaves for logs, records and errors. A secret of several lines, as a key in PEM,
 * arrives line by line where a plugin prints it, so that each line is a secret too.
 */
export function secretRedactor(config: Readonly<Record<string, unknown>>, secretKeys: readonly string[]): Redactor {
  const secrets = secretKeys.filter((key) => Object.hasOwn(config, key)).map((key) => config[key]);
  const lines = textsIn(secrets)
    .filter((text) => /[\r\n]/.test(text))
    .flatMap((text) => text.split(/[\r\n]+/))
    .filter((line) => line.trim().length >= minLineLength);
  return new Redactor({ secrets, lines }, ['secrets', 'lines']);
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
