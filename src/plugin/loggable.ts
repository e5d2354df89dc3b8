import type { Redactor } from './redactor.js';

const maxDepth = 6;
const maxEntries = 64;
const maxTextLength = 8_192;
const maxValues = 1_000;
const maxTotalLength = 32_768;

/** What is left for the values of one log line. */
interface Budget {
  values: number;
  length: number;
}

/** A value in a form that can be sent, and about how many characters it has. */
export interface Loggable {
  readonly value: unknown;
  readonly length: number;
}

/**
 * Brings a value into a form that the wire carries and people can read: errors with name, message, code, stack and cause; dates as ISO 8601;
 * maps, sets and class instances as plain data; functions, cycles and bytes named; all cut to a bounded size, and without secrets.
 * Never throws, whatever getters and `toJSON` do.
 */
export function toLoggable(value: unknown, redactor: Redactor): Loggable {
  const budget: Budget = { values: maxValues, length: maxTotalLength };
  const result = convert(value, redactor, budget, 0, []);
  return { value: result, length: maxTotalLength - budget.length };
}

/** A text without secrets, well-formed and cut. */
export function toLoggableText(text: string, redactor: Redactor, maxLength = maxTextLength): string {
  // Cut twice: first so that no secret can be cut in half, then to size.
  const clean = redactor.text(text.length > maxLength * 2 + redactor.longest ? text.slice(0, maxLength * 2 + redactor.longest) : text);
  const cut = clean.length > maxLength ? `${clean.slice(0, maxLength)}…` : clean;
  return cut.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD');
}

function convert(value: unknown, redactor: Redactor, budget: Budget, depth: number, above: readonly object[]): unknown {
  if (budget.values-- <= 0 || budget.length <= 0) return '[cut]';
  switch (typeof value) {
    case 'string': {
      const text = toLoggableText(value, redactor, Math.min(maxTextLength, budget.length));
      budget.length -= text.length;
      return text;
    }
    case 'number':
    case 'bigint':
      budget.length -= 8;
      if (redactor.hides(value)) return '[secret]';
      return typeof value === 'bigint' && BigInt.asIntN(64, value) !== value && BigInt.asUintN(64, value) !== value
        ? String(value).slice(0, 1_024)
        : value;
    case 'boolean':
      return value;
    case 'undefined':
      return null;
    case 'function':
      return `[function ${toLoggableText(String(value.name), redactor, 100)}]`;
    case 'symbol':
      return `[${toLoggableText(value.toString(), redactor, 100)}]`;
    case 'object':
      if (value === null) return null;
      if (above.includes(value)) return '[circular]';
      if (depth >= maxDepth) return '[deep]';
      try {
        return convertObject(value, redactor, budget, depth + 1, [...above, value]);
      } catch {
        return '[unreadable]';
      }
  }
}

function convertObject(value: object, redactor: Redactor, budget: Budget, depth: number, above: readonly object[]): unknown {
  const next = (part: unknown): unknown => convert(part, redactor, budget, depth, above);
  if (value instanceof Error) return entriesToPlain(errorEntries(value), next, redactor);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[invalid date]' : value.toISOString();
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value) || value instanceof Set) {
    const all: readonly unknown[] = [...value];
    const shown = all.slice(0, maxEntries).map(next);
    return all.length > maxEntries ? [...shown, `[${all.length - maxEntries} more]`] : shown;
  }
  if (value instanceof Map) return entriesToPlain([...value], next, redactor);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return next(toJSON.call(value, ''));
  return entriesToPlain(Object.entries(value), next, redactor);
}

function errorEntries(error: Error): [string, unknown][] {
  const { code, details } = error as { code?: unknown; details?: unknown };
  const entries: [string, unknown][] = [
    ['name', error.name],
    ['message', error.message],
  ];
  if (code !== undefined) entries.push(['code', code]);
  if (typeof details === 'object' && details !== null && Object.keys(details).length > 0) entries.push(['details', details]);
  if (error.stack !== undefined) entries.push(['stack', error.stack]);
  if (error.cause !== undefined) entries.push(['cause', error.cause]);
  return entries;
}

function entriesToPlain(
  entries: readonly (readonly [unknown, unknown])[],
  next: (part: unknown) => unknown,
  redactor: Redactor,
): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [key, part] of entries.slice(0, maxEntries)) {
    const name = toLoggableText(String(key), redactor, 100);
    // The wire refuses this key, and an assignment would set the prototype.
    if (name !== '__proto__' && part !== undefined) plain[name] = next(part);
  }
  if (entries.length > maxEntries) plain['…'] = `[${entries.length - maxEntries} more]`;
  return plain;
}
