import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { type Context, defineContract, definePlugin } from '../../src/plugin/index.js';

const contract = defineContract({
  methods: { a: { params: z.object({ n: z.number().default(1) }), result: z.string() }, toString: {} },
  streams: { s: { item: z.enum(['x', 'y']), result: z.object({ end: z.literal('stop') }), input: z.coerce.number() } },
});
const good = {
  a: () => 'x',
  toString: () => 'x',
  async *s() {
    yield 'x' as const;
    return { end: 'stop' as const };
  },
};

describe('definePlugin', () => {
  test('infers params, result, items and context', () => {
    definePlugin(contract, {
      async a(params, ctx) {
        expectTypeOf(params).toEqualTypeOf<{ n: number }>();
        expectTypeOf(ctx).toEqualTypeOf<Context>();
        return 'x';
      },
      toString(params) {
        expectTypeOf(params).toEqualTypeOf<unknown>();
      },
      async *s(_params, ctx) {
        expectTypeOf(ctx.items).toEqualTypeOf<AsyncIterable<number>>();
        yield 'x';
        return { end: 'stop' };
      },
    });
  });

  test('a handler that returns the wrong type does not compile', () => {
    // @ts-expect-error a number is no string
    definePlugin(contract, { ...good, a: () => 5 });
    async function* z() {
      yield 'z';
      return { end: 'stop' as const };
    }
    // @ts-expect-error "z" is no item
    definePlugin(contract, { ...good, s: z });
  });

  test('a handler is missing', () => {
    // @ts-expect-error "s" is missing
    expect(() => definePlugin(contract, { a: good.a, toString: good.toString })).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('async *s(params, ctx)') }),
    );
    // What every object has is no handler, although TypeScript takes it for one.
    expect(() => definePlugin(contract, { a: good.a, s: good.s })).toThrowError(
      expect.objectContaining({ message: expect.stringContaining('"toString"') }),
    );
  });

  test('a handler is too many', () => {
    // @ts-expect-error the contract has no "aa"
    expect(() => definePlugin(contract, { ...good, aa: () => 'x' })).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('did you mean "a"?') }),
    );
  });

  test.each([
    ['an unknown option', { onload: () => {} }, 'did you mean "onLoad"?'],
    ['a hook that is no function', { onLoad: true }, 'must be a function'],
    ['no concurrency', { concurrency: 0 }, 'integer from 1'],
    ['a wrong pattern', { on: { 'mail.**.x': () => {} } }, 'not a topic pattern'],
    ['an event handler that is no function', { on: { 'mail.*': 'x' } }, 'must be a function'],
  ])('refuses %s', (_what, options, part) => {
    expect(() => definePlugin(contract, good, options as never)).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(part) }),
    );
    expect(() => definePlugin({ ...options } as never)).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(part) }),
    );
  });

  test('works without a contract', () => {
    const plugin = definePlugin({
      methods: { echo: (params) => params },
      streams: {
        async *count() {
          yield 1;
        },
      },
    });
    expect([...plugin.handlers.keys()]).toEqual(['echo', 'count']);
    expect(() => definePlugin({ methods: { 'plugin.load': () => 1 } })).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => definePlugin({ methods: { echo: () => 1 }, streams: { async *echo() {} } })).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
