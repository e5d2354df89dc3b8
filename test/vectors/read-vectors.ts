import { readFileSync } from 'node:fs';

/** Bytes in the notation of README.md. */
export type BytesSpec = string | { readonly repeat: string; readonly times: number } | readonly BytesSpec[];

/** An entry of one of the files. */
export interface Vector {
  readonly name: string;
  readonly meaning: string;
  readonly hex?: BytesSpec;
  readonly frame?: BytesSpec;
  readonly message?: unknown;
  readonly ignored?: boolean;
  readonly value?: unknown;
  readonly canonical?: boolean;
  readonly layer?: 'frame' | 'value' | 'message';
  readonly error?: string;
  readonly phase?: string;
  readonly before?: number;
}

export function readVectors(file: 'messages' | 'values' | 'hostile'): readonly Vector[] {
  return (JSON.parse(readFileSync(new URL(`./${file}.json`, import.meta.url), 'utf8')) as { vectors: Vector[] }).vectors;
}

export function toBytes(spec: BytesSpec): Uint8Array {
  if (typeof spec === 'string') return Buffer.from(spec.replaceAll(' ', ''), 'hex');
  if (isParts(spec)) return Buffer.concat(spec.map(toBytes));
  return Buffer.concat(Array.from({ length: spec.times }, () => toBytes(spec.repeat)));
}

/** Reads a value in the notation of README.md. */
export function toValue(spec: unknown): unknown {
  if (typeof spec !== 'object' || spec === null) return spec;
  if (Array.isArray(spec)) return spec.map(toValue);
  const tagged = spec as Record<string, unknown>;
  if ('$bin' in tagged) return new Uint8Array(toBytes(tagged.$bin as BytesSpec));
  if ('$int' in tagged) return BigInt(tagged.$int as string);
  if ('$float' in tagged) return { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY, '-0': -0 }[tagged.$float as string];
  if ('$time' in tagged) return new Date(tagged.$time as string);
  if ('$text' in tagged) return (tagged.$text as string).repeat(tagged.times as number);
  if ('$join' in tagged) return (tagged.$join as unknown[]).map(toValue).join('');
  if ('$list' in tagged) return Array.from({ length: tagged.times as number }, () => toValue(tagged.$list));
  return Object.fromEntries(Object.entries(tagged).map(([key, value]) => [key, toValue(value)]));
}

function isParts(spec: BytesSpec): spec is readonly BytesSpec[] {
  return Array.isArray(spec);
}
