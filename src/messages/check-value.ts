import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { type FrameLimits, maxSupportedDepth } from '../frames/limits.js';
import { describeForeignObject } from './foreign-object.js';
import { isWellFormed } from './text.js';

const minInt64 = -(2n ** 63n);
const maxUint64 = 2n ** 64n - 1n;

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
    throw new WorkerRuntimeError('INVALID_VALUE', `${name} cannot be sent: reading it failed. Send plain data.`, {
      cause: error,
      details: { path: name },
    });
  }
  if (problem === undefined) return;
  const path = [name, ...problem.steps.reverse()].join('/');
  throw new WorkerRuntimeError('INVALID_VALUE', `${path} cannot be sent: ${problem.complaint}`, { details: { path } });
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
        return isWellFormed(value) ? undefined : complain('it holds half of a surrogate pair. Cut strings between characters.');
      case 'number':
      case 'boolean':
      case 'undefined':
        return undefined;
      case 'bigint':
        return value >= minInt64 && value <= maxUint64 ? undefined : complain('an integer has 64 bits. Send a string.');
      case 'object':
        return value === null ? undefined : this.#visitObject(value, depth);
      default:
        return complain(`it is a ${typeof value}. Send data.`);
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
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? complain('it is an invalid Date.') : undefined;
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
      return complain(`it has ${keys.length} entries; a map may have ${this.#limits.maxMapEntries}. Send an array of pairs.`);
    }
    const problem = this.#enter(2 * keys.length, depth);
    if (problem !== undefined) return problem;
    for (const key of keys) {
      if (key === '__proto__') return within(complain('a key may not be __proto__. Rename it.'), key);
      this.#addBytes(key.length);
      if (!isWellFormed(key)) return complain('one of its keys holds half of a surrogate pair. Cut strings between characters.');
      const inner = this.visit(value[key], depth + 1);
      if (inner !== undefined) return within(inner, key);
    }
    return undefined;
  }

  /** Accounts for a container and its contents before they are visited: a cycle ends at the depth, a huge array at its length. */
  #enter(contents: number, depth: number): Problem | undefined {
    if (depth >= this.#maxDepth) return complain(`it is nested deeper than ${this.#maxDepth} (maxDepth), or within itself. Send a flatter value.`);
    this.#elements += contents;
    if (this.#elements > this.#limits.maxElements) {
      return complain(`the message would have more than ${this.#limits.maxElements} elements (maxElements). Send a stream, or packed binary data.`);
    }
    return undefined;
  }

  #addBytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes > this.#limits.maxFrameBytes) throw frameTooLarge(this.#bytes, this.#limits.maxFrameBytes);
  }
}

/** The `Object.prototype` of another realm, as test runners and `node:vm` have them. */
function isForeignObjectPrototype(prototype: unknown): boolean {
  return (
    typeof prototype === 'object' && prototype !== null && Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
  );
}

function complain(complaint: string): Problem {
  return { complaint, steps: [] };
}

/** Adds a step of the way, escaped as in a JSON Pointer and cut if it is long. */
function within(problem: Problem, step: string): Problem {
  problem.steps.push((step.length > 80 ? `${step.slice(0, 80)}…` : step).replaceAll('~', '~0').replaceAll('/', '~1'));
  return problem;
}
