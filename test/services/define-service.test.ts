import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../../src/capabilities/define-capability.js';
import { scopes } from '../../src/capabilities/scopes.js';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import {
  attemptOf,
  defineMethod,
  defineService,
  type GuardedServiceMethod,
  isGuarded,
  type Service,
  type ServiceCall,
} from '../../src/services/define-service.js';

const mailSend = defineCapability({ name: 'mail.send', risk: 'high', sentence: 'send mail to {domains}', scope: { domains: scopes.hostPatterns() } });

describe('the types of a method', () => {
  test('scope and handle get what params validates', () => {
    const method = defineMethod({
      params: z.object({ to: z.string(), times: z.coerce.number().default(1) }),
      capability: mailSend,
      scope: (params) => {
        expectTypeOf(params).toEqualTypeOf<{ to: string; times: number }>();
        return { domains: params.to };
      },
      handle: (params, call) => {
        expectTypeOf(params).toEqualTypeOf<{ to: string; times: number }>();
        expectTypeOf(call).toEqualTypeOf<ServiceCall>();
        return params.times;
      },
    });
    const service = defineService({ name: 'mail', methods: { send: method } });
    expectTypeOf(service).toEqualTypeOf<Service>();
    expect(Object.keys(service.methods)).toEqual(['send']);
  });

  test('a baseline method without a validator says itself what it takes', () => {
    defineMethod({
      baseline: 'For tests.',
      handle: (params: { readonly a?: unknown }) => {
        expectTypeOf(params).toEqualTypeOf<{ readonly a?: unknown }>();
      },
    });
    // @ts-expect-error a handler that wants another type than the validator gives
    defineMethod({ baseline: 'For tests.', params: z.object({ a: z.string() }), handle: (params: { a: number }) => params.a });
    // @ts-expect-error neither guarded nor baseline
    defineMethod({ handle: () => 1 });
    // @ts-expect-error a capability without a scope
    defineMethod({ capability: mailSend, handle: () => 1 });
  });
});

describe('an attempt', () => {
  const guarded = (scope: (params: never) => unknown): GuardedServiceMethod =>
    ({ capability: mailSend, scope, handle: () => 1 }) as GuardedServiceMethod;

  test('names the values in normal form', () => {
    expect(
      attemptOf(
        guarded(() => ({ domains: 'EXAMPLE.com' })),
        {} as never,
      ),
    ).toEqual({ capability: 'mail.send', scope: { domains: ['example.com'] } });
  });

  test.each([
    [{}],
    [{ domains: [] }],
    [{ domains: [1] }],
    [{ domains: undefined }],
    [{ domains: 'a', more: 'b' }],
    [Promise.resolve({ domains: 'a' })],
  ])('%o are no values of its scope', (values) => {
    expect(() =>
      attemptOf(
        guarded(() => values),
        {} as never,
      ),
    ).toThrow(expect.objectContaining({ code: 'INVALID_PARAMS' }));
  });

  test('what the scope function itself throws is not taken for the fault of the params', () => {
    const defect = new TypeError('Cannot read properties of undefined');
    expect(() =>
      attemptOf(
        guarded(() => {
          throw defect;
        }),
        {} as never,
      ),
    ).toThrow(defect);
    const refusal = new WorkerRuntimeError('INVALID_PARAMS', 'There is no such recipient.');
    expect(() =>
      attemptOf(
        guarded(() => {
          throw refusal;
        }),
        {} as never,
      ),
    ).toThrow(refusal);
  });

  test('is what a method needs that names a capability', () => {
    expect(isGuarded(guarded(() => ({})))).toBe(true);
    expect(isGuarded({ baseline: 'For tests.', handle: () => 1 })).toBe(false);
    expect(isGuarded({ baseline: 'For tests.', capability: undefined, handle: () => 1 } as never)).toBe(false);
  });
});
