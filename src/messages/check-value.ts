import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { type FrameLimits, maxSupportedDepth } from '../frames/limits.js';
import { describeForeignObject } from './foreign-object.js';
import { isForeignObjectPrototype } from './plain-object.js';
import { isWellFormed } from './text.js';

/** The integers that MessagePack has. */
export const minInt64 = -(2n ** 63n);
/** See {@link minInt64}. */
export const maxUint64 = 2n ** 64n - 1n;

/** What may be wrong with a value, each the end of a sentence that begins with "… cannot be sent:". */
export const complaints = {
  loneSurrogate: 'it holds half of a surrogate pair. Cut strings between characters.',
  loneSurrogateInKey: 'one of its keys holds half of a surrogate pair. Cut strings between characters.',
  tooManyBits: 'an integer has 64 bits. Send a string.',
  invalidDate: 'it is an invalid Date.',
  protoKey: 'a key may not be __proto__. Rename it.',
  noData: (type: string) => `it is a ${type}. Send data.`,
  tooManyEntries: (entries: number, most: number) => `it has ${entries} entries; a map may have ${most}. Send an array of pairs.`,
  tooDeep: (most: number) => `it is nested deeper than ${most} (maxDepth), or within itself. Send a flatter value.`,
  tooManyElements: (most: number) => `the message would have more than ${most} elements (maxElements). Send a stream, or packed binary data.`,
};

/** What is wrong, and the way to it, innermost step first. */
interface Problem {
  readonly complaint: string;
  readonly steps: string[];
}

/**
 * The sender's check: refuses every value that the receiver would refuse, or that would come back as something else,
 * before anything is sent.
 *
 * What may be sent: null, booleans, numbers, bigints of 64 bits, strings without lone surrogates, `Uint8Array` (Buffers
 * too), valid `Date`s, arrays, and plain objects of these. What comes back is equal, but: undefined comes back as null, −0
 * as 0, a bigint within ±2^53 as a number, holes of an array as null, a Buffer as a `Uint8Array`.
 * @param name what the value is, as `params`: where the path in the error begins.
 * @param depth arrays and maps around the value.
 * @param elements other values in the frame, those around it included.
 * @throws INVALID_VALUE with `details: { path }` and a sentence that says what to send instead; FRAME_TOO_LARGE with
 * `details: { limit, size }` as soon as strings and binary data alone exceed the limit, `size` being what was counted so far.
 */
export function checkValue(value: unknown, name: string, depth: number, elements: number, limits: FrameLimits): void {
  if (value === undefined || value === null || typeof value === 'boolean' || typeof value === 'number') return;
  let problem: Problem | undefined;
  try {
    problem = new ValueCheck(limits, elements + 1).visit(value, depth);
  } catch (error) {
    if (isWorkerRuntimeError(error)) throw error;
    throw unreadableValue(name, error);
  }
  if (problem === undefined) return;
  throw refusedValue(name, problem.steps.reverse(), problem.complaint);
}

/** The error for a value that cannot be sent. @param steps the way to it, each made by {@link stepOf}. */
export function refusedValue(name: string, steps: readonly string[], complaint: string): WorkerRuntimeError {
  const path = [name, ...steps].join('/');
  return new WorkerRuntimeError('INVALID_VALUE', `${path} cannot be sent: ${complaint}`, { details: { path } });
}

/** The error for a value that threw while it was read. */
export function unreadableValue(name: string, cause: unknown): WorkerRuntimeError {
  return new WorkerRuntimeError('INVALID_VALUE', `${name} cannot be sent: reading it failed. Send plain data.`, { cause, details: { path: name } });
}

/** A step of a path, escaped as in a JSON Pointer and cut if it is long. */
export function stepOf(step: string): string {
  return (step.length > 80 ? `${step.slice(0, 80)}…` : step).replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The error for a message that no frame can carry. */
export function frameTooLarge(size: number, limit: number): WorkerRuntimeError {
  return new WorkerRuntimeError(
    'FRAME_TOO_LARGE',
    `The message has at least ${size} bytes; a frame may have ${limit} (maxFrameBytes). Send large data as the items of a stream.`,
    { details: { limit, size } },
  );
}

class ValueCheck {
  readonly #limits: FrameLimits;
  readonly #maxDepth: number;
  #elements: number;
  #bytes = 0;

  constructor(limits: FrameLimits, elements: number) {
    this.#limits = limits;
    this.#maxDepth = Math.min(limits.maxDepth, maxSupportedDepth);
    this.#elements = elements;
  }

  /** @param depth containers around the value. @returns undefined if all is well. */
  visit(value: unknown, depth: number): Problem | undefined {
    switch (typeof value) {
      case 'string':
        this.#addBytes(value.length);
        return isWellFormed(value) ? undefined : complain(complaints.loneSurrogate);
      case 'number':
      case 'boolean':
      case 'undefined':
        return undefined;
      case 'bigint':
        return value >= minInt64 && value <= maxUint64 ? undefined : complain(complaints.tooManyBits);
      case 'object':
        return value === null ? undefined : this.#visitObject(value, depth);
      default:
        return complain(complaints.noData(typeof value));
    }
  }

  #visitObject(value: object, depth: number): Problem | undefined {
    if (Array.isArray(value)) return this.#visitArray(value, depth);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null || isForeignObjectPrototype(prototype)) {
      return this.#visitMap(value as Readonly<Record<string, unknown>>, depth);
    }
    if (value instanceof Uint8Array) {
      this.#addBytes(value.byteLength);
      return undefined;
    }
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? complain(complaints.invalidDate) : undefined;
    return complain(describeForeignObject(value));
  }

  #visitArray(value: readonly unknown[], depth: number): Problem | undefined {
    const problem = this.#enter(value.length, depth);
    if (problem !== undefined) return problem;
    for (let index = 0; index < value.length; index += 1) {
      const item = value[index];
      if (typeof item === 'number') continue;
      const inner = this.visit(item, depth + 1);
      if (inner !== undefined) return within(inner, String(index));
    }
    return undefined;
  }

  #visitMap(value: Readonly<Record<string, unknown>>, depth: number): Problem | undefined {
    const keys = Object.keys(value);
    if (keys.length > this.#limits.maxMapEntries) {
      return complain(complaints.tooManyEntries(keys.length, this.#limits.maxMapEntries));
    }
    const problem = this.#enter(2 * keys.length, depth);
    if (problem !== undefined) return problem;
    for (const key of keys) {
      if (key === '__proto__') return within(complain(complaints.protoKey), key);
      this.#addBytes(key.length);
      if (!isWellFormed(key)) return complain(complaints.loneSurrogateInKey);
      const inner = this.visit(value[key], depth + 1);
      if (inner !== undefined) return within(inner, key);
    }
    return undefined;
  }

  /** Accounts for a container and its contents before they are visited: a cycle ends at the depth, a huge array at its length. */
  #enter(contents: number, depth: number): Problem | undefined {
    if (depth >= this.#maxDepth) return complain(complaints.tooDeep(this.#maxDepth));
    this.#elements += contents;
    if (this.#elements > this.#limits.maxElements) {
      return complain(complaints.tooManyElements(this.#limits.maxElements));
    }
    return undefined;
  }

  #addBytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes > this.#limits.maxFrameBytes) throw frameTooLarge(this.#bytes, this.#limits.maxFrameBytes);
  }
}

function complain(complaint: string): Problem {
  return { complaint, steps: [] };
}

function within(problem: Problem, step: string): Problem {
  problem.steps.push(stepOf(step));
  return problem;
}
