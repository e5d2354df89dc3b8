/** What stands in the place of a secret. */
const replacement = '[secret]';
/** Shorter secrets are replaced only where they are the whole text: anywhere else they would make a riddle of it, and its solution the secret. */
const minLengthWithin = 4;
const maxDepth = 8;

/** Replaces the values of a plugin's secret configuration in texts: as they are, trimmed, URL-encoded and escaped as in JSON. */
export class Redactor {
  readonly #whole = new Set<string>();
  readonly #within: readonly string[];

  /** @param secretKeys the keys of `config` whose values must not be seen; all texts and numbers below them count. */
  constructor(config: Readonly<Record<string, unknown>>, secretKeys: readonly string[]) {
    for (const key of secretKeys) if (Object.hasOwn(config, key)) this.#collect(config[key], maxDepth);
    // The longest first: one may be part of another.
    this.#within = [...this.#whole].filter((secret) => secret.length >= minLengthWithin).sort((left, right) => right.length - left.length);
  }

  /** Whether there is anything to replace. */
  get active(): boolean {
    return this.#whole.size > 0;
  }
  /** Length of the longest secret. */
  get longest(): number {
    return this.#within[0]?.length ?? 0;
  }

  /** The text without secrets. */
  text(text: string): string {
    if (this.#whole.has(text)) return replacement;
    let clean = text;
    for (const secret of this.#within) if (clean.includes(secret)) clean = clean.replaceAll(secret, replacement);
    return clean;
  }

  /** Whether this is a secret number, bigint or the like. */
  hides(value: number | bigint): boolean {
    return this.#whole.has(String(value));
  }

  #collect(value: unknown, depth: number): void {
    if (typeof value === 'string') this.#add(value);
    else if (typeof value === 'number' || typeof value === 'bigint') this.#whole.add(String(value));
    else if (typeof value === 'object' && value !== null && depth > 0) for (const part of Object.values(value)) this.#collect(part, depth - 1);
  }

  #add(secret: string): void {
    if (secret.trim() === '') return;
    for (const text of [secret, secret.trim()]) {
      this.#whole.add(text);
      this.#whole.add(JSON.stringify(text).slice(1, -1));
      // The wire carries well-formed strings only, hence this cannot throw on what came from it.
      this.#whole.add(encodeURIComponent(text));
    }
  }
}
