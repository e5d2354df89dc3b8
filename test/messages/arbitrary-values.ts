import fc from 'fast-check';
import type { FrameLimits } from '../../src/frames/limits.js';

export { propertyOptions, slow } from '../frames/support.js';

/** Limits that random values reach, so that both sides of each are tried. */
export const tightLimits: FrameLimits = { maxFrameBytes: 400, maxDepth: 4, maxElements: 24, maxMapEntries: 4 };

const mark = '\ufeff';
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', 'constructor', 'toJSON', '__proto', 'hasOwnProperty', 'then', 'length', '\0', '\u{10ffff}'),
  fc
    .tuple(fc.constantFrom('', mark, mark + mark), fc.constantFrom('a', 'é', '你', '🌍', mark), fc.integer({ min: 0, max: 130 }))
    .map(([head, unit, times]) => head + unit.repeat(times)),
);

const integer = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(
    0,
    -0,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53,
    -32,
    -33,
    -128,
    -129,
    -32_768,
    -32_769,
    -(2 ** 31),
    -(2 ** 31) - 1,
    -(2 ** 53),
  ),
);

const good = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, true, false),
  integer,
  fc.double(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  text,
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.date({ noInvalidDate: true }),
  fc.constantFrom(new Date(8.64e15), new Date(-8.64e15), new Date(0), new Date(-1), new Date(999)),
);

class Point {
  readonly x = 1;
}

const bad = fc.oneof(
  fc.constantFrom<unknown>(
    () => 1,
    Symbol('s'),
    new Set([1]),
    new Map([['a', 1]]),
    new Error('no'),
    /x/,
    new Point(),
    new Date(Number.NaN),
    new Float32Array(2),
    new ArrayBuffer(2),
    new DataView(new ArrayBuffer(1)),
    Promise.resolve(),
    Object.create(class extends null {}.prototype),
    Object(1n),
    new Date(0).valueOf,
    new WeakMap(),
    2n ** 64n,
    -(2n ** 63n) - 1n,
    '\ud800',
    'a\udc00b',
    JSON.parse('{"__proto__": 1}'),
    { '\ud800': 1 },
    {
      get x() {
        throw new Error('unreadable');
      },
    },
  ),
);

const key = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'constructor', 'toJSON', 'hasOwnProperty', 'valueOf', '', '0', 'ü') },
  text.filter((name) => name !== '__proto__'),
);

function nested(leaf: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.letrec<{ value: unknown; array: unknown[]; map: Record<string, unknown> }>((tie) => ({
    value: fc.oneof({ maxDepth: 6, depthSize: 'small' }, { weight: 3, arbitrary: leaf }, tie('array'), tie('map')),
    array: fc.array(tie('value'), { maxLength: 6 }),
    map: fc.uniqueArray(fc.tuple(key, tie('value')), { maxLength: 6, selector: ([name]) => name }).map((entries) => Object.fromEntries(entries)),
  })).value;
}

/** Values that may be sent, as far as the limits allow. */
export const sendable = nested(good);
/** Values that may hold anything that JavaScript has. */
export const anything = nested(fc.oneof({ weight: 5, arbitrary: good }, { weight: 1, arbitrary: bad }));

/** What a value is when it comes back, as the sender's check documents it. */
export function normalForm(value: unknown): unknown {
  if (value === undefined) return null;
  if (Object.is(value, -0)) return 0;
  if (typeof value === 'bigint') return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : value;
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return Array.from(value, normalForm);
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, normalForm(entry)]));
}
