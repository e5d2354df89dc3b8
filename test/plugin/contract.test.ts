import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import {
  type Contract,
  type ContractCaller,
  type ContractStream,
  createContractClient,
  defineContract,
  type MethodParams,
  type MethodResult,
  type StandardSchema,
  type StreamItem,
} from '../../src/plugin/index.js';
import { rejection } from './test-host.js';

const summarizer = defineContract({
  methods: {
    summarize: { params: z.object({ text: z.string(), limit: z.int().default(3) }), result: z.object({ summary: z.string() }), idempotent: true },
    when: {
      params: z.iso.datetime().transform((text) => new Date(text)),
      result: z.iso.datetime().transform((text) => new Date(text)),
      timeoutMs: 5_000,
    },
    untyped: {},
  },
  streams: {
    narrate: { params: z.object({ text: z.string() }), item: z.string(), result: z.object({ finishReason: z.string() }), idleTimeoutMs: 9_000 },
    sum: { input: z.number(), result: z.object({ total: z.number() }) },
  },
});

/** A caller that notes what it is asked and answers what the test says. */
function fakeCaller(answer: unknown, items: readonly unknown[] = []) {
  const asked: { method: string; params: unknown; options: object }[] = [];
  const cancels: (string | undefined)[] = [];
  let rejectResult: (error: unknown) => void = () => {};
  const caller: ContractCaller = {
    async call(method, params, options) {
      asked.push({ method, params, options });
      return answer;
    },
    stream(method, params, options) {
      asked.push({ method, params, options });
      const iterator = (async function* () {
        yield* items;
      })();
      const result = new Promise((resolve, reject) => {
        rejectResult = reject;
        if (answer !== undefined) resolve(answer);
      });
      result.catch(() => {});
      return {
        result,
        [Symbol.asyncIterator]: () => iterator,
        cancel(reason) {
          cancels.push(reason);
          rejectResult(new Error('cancelled'));
        },
      };
    },
  };
  return { caller, asked, cancels };
}

const asyncNumber: StandardSchema<number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async (value) => (typeof value === 'number' ? { value } : { issues: [{ message: 'no number', path: [{ key: 'a' }, 0, 'b'] }] }),
  },
};

describe('defineContract', () => {
  test.each([
    ['a reserved prefix', { methods: { 'plugin.load': {} } }, 'reserved'],
    ['a reserved prefix on the wire', { streams: { deliver: { wireName: 'events.deliver' } } }, '"events."'],
    ['grants', { methods: { 'grants.changed': {} } }, '"grants."'],
    ['a name that the protocol refuses', { methods: { 'with space': {} } }, 'cannot be the name'],
    ['an empty name', { methods: { '': {} } }, 'cannot be the name'],
    ['a long name', { methods: { ['x'.repeat(257)]: {} } }, 'cannot be the name'],
    // biome-ignore lint/suspicious/noThenProperty: that it is dangerous is what is tested.
    ['then', { methods: { then: {} } }, 'promise'],
    ['a name taken twice', { methods: { a: {} }, streams: { a: {} } }, 'both a method and a stream'],
    ['a wire name taken twice', { methods: { a: { wireName: 'x' }, x: {} } }, 'same name on the wire'],
    ['a misspelt field', { methods: { a: { parms: z.string() } } }, 'did you mean "params"'],
    ['no schema', { methods: { a: { params: { type: 'object' } } } }, 'Standard Schema'],
    ['a negative limit', { methods: { a: { timeoutMs: -1 } } }, 'milliseconds'],
    ['a prototype in the place of an entry', { methods: { __proto__: { x: {} } } }, 'plain object'],
  ])('refuses %s', (_what, definition, part) => {
    expect(() => defineContract(definition as never)).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(part) }),
    );
  });

  test('takes schemas of any Standard Schema library, also as functions', () => {
    const callable = Object.assign(() => {}, asyncNumber);
    expect(() => defineContract({ methods: { a: { params: callable } } })).not.toThrow();
  });

  test('infers the types of both sides', () => {
    expectTypeOf<MethodParams<typeof summarizer, 'summarize'>>().toEqualTypeOf<{ text: string; limit?: number | undefined }>();
    expectTypeOf<MethodResult<typeof summarizer, 'when'>>().toEqualTypeOf<Date>();
    expectTypeOf<StreamItem<typeof summarizer, 'narrate'>>().toEqualTypeOf<string>();
    expectTypeOf(summarizer).toExtend<Contract>();
  });
});

describe('a client of a contract', () => {
  test('has the types of the contract', () => {
    const api = createContractClient(summarizer, fakeCaller({ summary: 's' }).caller);
    expectTypeOf(api.summarize).parameter(0).toEqualTypeOf<{ text: string; limit?: number | undefined }>();
    expectTypeOf(api.summarize).returns.toEqualTypeOf<Promise<{ summary: string }>>();
    expectTypeOf(api.narrate).returns.toEqualTypeOf<ContractStream<string, { finishReason: string }>>();
    expectTypeOf(api.untyped).toBeCallableWith();
    expectTypeOf(api.untyped).returns.toEqualTypeOf<Promise<unknown>>();
    // @ts-expect-error a stream with input cannot be started without one
    expect(() => api.sum(undefined)).toThrow();
    // @ts-expect-error the contract has no such method
    expect(api.sumarize).toBeUndefined();
    // @ts-expect-error params of the wrong type
    api.summarize({ text: 1 }).catch(() => {});
  });

  test('sends what was given, and returns what comes out of the schema', async () => {
    const { caller, asked } = fakeCaller('2026-01-01T00:00:00Z');
    const api = createContractClient(summarizer, caller);
    expect(await api.when('2026-05-05T05:05:05Z', { idempotencyKey: 'k' })).toEqual(new Date('2026-01-01T00:00:00Z'));
    expect(asked).toEqual([
      { method: 'when', params: '2026-05-05T05:05:05Z', options: expect.objectContaining({ idempotencyKey: 'k', timeoutMs: 5_000 }) },
    ]);
  });

  test("passes the contract's defaults, and the caller's options above them", async () => {
    const { caller, asked } = fakeCaller({ summary: 's' });
    const api = createContractClient(summarizer, caller);
    await api.summarize({ text: 'x' }, { timeoutMs: 7 });
    expect(asked[0]?.options).toMatchObject({ timeoutMs: 7, idempotent: true });
    api.narrate({ text: 'x' });
    expect(asked[1]?.options).toMatchObject({ idleTimeoutMs: 9_000 });
    api.narrate({ text: 'x' }, { idleTimeoutMs: 0 });
    expect(asked[2]?.options).toMatchObject({ idleTimeoutMs: 0 });
  });

  test('refuses wrong params without a round trip', async () => {
    const { caller, asked } = fakeCaller({ summary: 's' });
    const api = createContractClient(summarizer, caller);
    expect(await rejection(api.summarize({ text: 7 } as never))).toMatchObject({
      code: 'INVALID_PARAMS',
      mayHaveRun: false,
      details: { issues: [{ path: ['text'] }] },
    });
    expect(() => api.narrate({} as never)).toThrowError(expect.objectContaining({ code: 'INVALID_PARAMS' }));
    expect(asked).toEqual([]);
  });

  test('[plugin.contract-validated] lets no result through that does not fit', async () => {
    for (const wrong of [undefined, null, 'text', { summary: 5 }, []]) {
      const api = createContractClient(summarizer, fakeCaller(wrong).caller);
      expect(await rejection(api.summarize({ text: 'x' }))).toMatchObject({ code: 'INVALID_RESULT', mayHaveRun: true });
    }
  });

  test('an item that does not fit ends the stream', async () => {
    const { caller, cancels } = fakeCaller(undefined, ['good', 5, 'never read']);
    const stream = createContractClient(summarizer, caller).narrate({ text: 'x' });
    const items: string[] = [];
    const reading = (async () => {
      for await (const item of stream) items.push(item);
    })();
    expect(await rejection(reading)).toMatchObject({ code: 'INVALID_RESULT', message: expect.stringContaining('An item of "narrate"') });
    expect(items).toEqual(['good']);
    expect(cancels).toHaveLength(1);
    expect(await rejection(stream.result)).toMatchObject({ code: 'INVALID_RESULT' });
  });

  test('a result of a stream that does not fit', async () => {
    const stream = createContractClient(summarizer, fakeCaller({ finishReason: 1 }).caller).narrate({ text: 'x' });
    expect(await rejection(stream.result)).toMatchObject({ code: 'INVALID_RESULT' });
  });

  test('an unread result that fails disturbs nobody', async () => {
    // An unhandled rejection would fail the run.
    createContractClient(summarizer, fakeCaller({ finishReason: 1 }).caller).narrate({ text: 'x' });
    await new Promise((resolve) => setImmediate(resolve));
  });

  test('input items are checked one by one and sent as they were given', async () => {
    const { caller, asked } = fakeCaller({ total: 1 });
    const api = createContractClient(summarizer, caller);
    const given = async function* (): AsyncGenerator<number> {
      yield 1;
      yield 'two' as never;
    };
    api.sum(undefined, { input: given() });
    const { input } = asked[0]!.options as { input: AsyncIterable<unknown> };
    const sent: unknown[] = [];
    const sending = (async () => {
      for await (const item of input) sent.push(item);
    })();
    expect(await rejection(sending)).toMatchObject({ code: 'INVALID_PARAMS' });
    expect(sent).toEqual([1]);
  });

  test('validators may be asynchronous, and may fail', async () => {
    const throwing: StandardSchema<number> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => {
          throw new Error('defect');
        },
      },
    };
    const contract = defineContract({ methods: { slow: { params: asyncNumber, result: asyncNumber }, broken: { result: throwing } } });
    const { caller, asked } = fakeCaller(1);
    const api = createContractClient(contract, caller);
    expect(await api.slow(5)).toBe(1);
    expect(await rejection(api.slow('x' as never))).toMatchObject({
      code: 'INVALID_PARAMS',
      details: { issues: [{ path: ['a', 0, 'b'], message: 'no number' }] },
    });
    expect(await rejection(createContractClient(contract, fakeCaller('x').caller).slow(5))).toMatchObject({ code: 'INVALID_RESULT' });
    expect(await rejection(api.broken())).toMatchObject({ code: 'INVALID_RESULT', message: expect.stringContaining('the validator itself failed') });
    expect(asked).toHaveLength(2);
  });

  test('names that every object has are harmless', async () => {
    const contract = defineContract({ methods: { constructor: {}, toString: {}, ['__proto__']: {}, hasOwnProperty: {} } });
    const { caller, asked } = fakeCaller('ok');
    const api = createContractClient(contract, caller) as unknown as Record<string, () => Promise<unknown>>;
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) expect(await api[name]?.()).toBe('ok');
    expect(asked.map(({ method }) => method)).toEqual(['constructor', 'toString', '__proto__', 'hasOwnProperty']);
    expect(Object.getPrototypeOf({}).hasOwnProperty).toBe(Object.prototype.hasOwnProperty);
  });

  test('can be awaited without being called, and has nothing that the contract does not name', async () => {
    const { caller, asked } = fakeCaller('ok');
    const api = createContractClient(defineContract({ methods: { a: {} } }), caller);
    const awaited = await (async () => api)();
    expect(Object.keys(awaited)).toEqual(['a']);
    expect('toString' in awaited).toBe(false);
    expect(asked).toEqual([]);
  });

  test('a wire name stands for the key', async () => {
    const { caller, asked } = fakeCaller('ok');
    const contract = defineContract({ methods: { complete: { wireName: 'model.complete' }, later: { wireName: 'then' } } });
    await createContractClient(contract, caller).complete();
    expect(asked[0]?.method).toBe('model.complete');
  });
});
