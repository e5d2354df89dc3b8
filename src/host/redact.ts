const minSecretLength = 4;

/** Makes a function that replaces secret values in text that leaves for logs, errors or the audit. */
export function redactor(config: Readonly<Record<string, unknown>>, secretKeys: readonly string[]): (text: string) => string {
  const secrets = secretKeys
    .flatMap((key) => (Object.hasOwn(config, key) ? [config[key]].flat() : []))
    .filter((value): value is string => typeof value === 'string' && value.length >= minSecretLength)
    // The longest first, so that one secret that contains another goes as a whole.
    .sort((left, right) => right.length - left.length);
  if (secrets.length === 0) return (text) => text;
  return (text) => secrets.reduce((redacted, secret) => redacted.split(secret).join('[secret]'), text);
}

/** Applies a redactor to every string of a value, to a bounded depth. */
export function redactValue(value: unknown, redact: (text: string) => string, depth = 0): unknown {
  if (typeof value === 'string') return redact(value);
  if (depth > 8 || typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Date) return value;
  if (Array.isArray(value)) return value.map((element) => redactValue(element, redact, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, element]) => [redact(key), redactValue(element, redact, depth + 1)]));
}
