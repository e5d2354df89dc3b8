import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { maxInteger, maxTextBytes } from './field-limits.js';
import type { MessageKind } from './message.js';
import { fitsBytes } from './text.js';

// Readers of the fields of a message that was decoded. Each takes the message's kind and the field's name, for the error,
// and the value, in which absent is undefined and nil is null.

/** A map as the codec makes it. Only own members may be read: use {@link member}. */
export type DecodedMap = Readonly<Record<string, unknown>>;

/** @throws PROTOCOL_ERROR with `details: { kind, field }`, always. */
export function refuseField(kind: MessageKind, field: string, rule: string): never {
  throw new WorkerRuntimeError('PROTOCOL_ERROR', `The message is not acceptable: ${kind}.${field} must be ${rule}.`, { details: { kind, field } });
}

/** A member of a map; undefined if the map has none of this name, whatever objects inherit. */
export function member(map: DecodedMap, name: string): unknown {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

/** An integer from `least` to `most`; a float with an integral value is one. */
export function readInteger(kind: MessageKind, field: string, value: unknown, least = 0, most = maxInteger): number {
  // Adding 0 makes an integer of a float's −0.
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value + 0;
  return refuseField(kind, field, `an integer from ${least} to ${most}`);
}

/** The same, or absent. */
export function readOptionalInteger(kind: MessageKind, field: string, value: unknown, most = maxInteger): number | undefined {
  return value === undefined || value === null ? undefined : readInteger(kind, field, value, 0, most);
}

/** A string of `least` to `most` bytes. */
export function readString(kind: MessageKind, field: string, value: unknown, least = 0, most = maxTextBytes): string {
  if (typeof value === 'string' && value.length >= least && fitsBytes(value, most)) return value;
  return refuseField(kind, field, `a string of ${least} to ${most} bytes`);
}

/** The same, or absent. */
export function readOptionalString(kind: MessageKind, field: string, value: unknown, least = 0, most = maxTextBytes): string | undefined {
  return value === undefined || value === null ? undefined : readString(kind, field, value, least, most);
}

/** true or false. */
export function readOptionalBoolean(kind: MessageKind, field: string, value: unknown): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'boolean' ? value : refuseField(kind, field, 'true or false');
}

/** A map; not an array, not binary data, not a timestamp. */
export function readMap(kind: MessageKind, field: string, value: unknown): DecodedMap {
  if (typeof value === 'object' && value !== null) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return value as DecodedMap;
  }
  return refuseField(kind, field, 'a map');
}

/** The same, or absent. */
export function readOptionalMap(kind: MessageKind, field: string, value: unknown): DecodedMap | undefined {
  return value === undefined || value === null ? undefined : readMap(kind, field, value);
}

/** An array of which each element passes `readElement`; absent is an empty one. */
export function readList<Element>(
  kind: MessageKind,
  field: string,
  value: unknown,
  readElement: (kind: MessageKind, field: string, value: unknown) => Element,
): Element[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return refuseField(kind, field, 'an array');
  return value.map((element, index) => readElement(kind, `${field}[${index}]`, element));
}
