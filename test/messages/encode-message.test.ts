import { describe, expect, test } from 'vitest';
import { defaultFrameLimits, type FrameLimits } from '../../src/frames/limits.js';
import { decodeMessage } from '../../src/messages/decode-message.js';
import { encodeMessage } from '../../src/messages/encode-message.js';
import type { HelloFields, Message, WelcomeFields } from '../../src/messages/message.js';
import { codecs } from './codecs.js';

describe.each(codecs)('%s', (_name, codec) => {
  function encode(message: Message, limits: FrameLimits = defaultFrameLimits): Uint8Array {
    return encodeMessage(message, codec, limits);
  }
  function roundTrip(message: Message, limits: FrameLimits = defaultFrameLimits): Message | undefined {
    return decodeMessage(encode(message, limits), codec, limits);
  }
  function hexOf(message: Message): string {
    return Buffer.from(encode(message)).toString('hex');
  }

  const hello: HelloFields = { versions: [1], role: 'worker', sdk: { name: 'x', version: '1', language: 'ts' }, features: [], requiredFeatures: [] };
  const welcome: WelcomeFields = {
    version: 1,
    session: 's',
    generation: 1,
    plugin: { id: 'a', version: '1' },
    features: [],
    grants: [{ capability: 'storage.read', scope: {}, expiresAt: undefined }],
    config: {},
    secretConfigKeys: [],
    limits: { maxFrameBytes: 1, maxDepth: 1, maxElements: 1, maxConcurrency: 1 },
    heartbeatMs: 1,
    debug: false,
    resume: undefined,
  };

  describe('shape', () => {
    test('what is absent at the end is left out, also null', () => {
      expect(hexOf({ kind: 'request', id: 2, method: 'x' })).toBe('930002a178');
      expect(hexOf({ kind: 'request', id: 2, method: 'x', params: null, flags: undefined })).toBe('930002a178');
      expect(hexOf({ kind: 'request', id: 2, method: 'x', flags: 1 })).toBe('950002a178c001');
      expect(hexOf({ kind: 'response', id: 2, result: undefined })).toBe('920102');
      expect(hexOf({ kind: 'item', id: 2, value: null })).toBe('920802');
    });
    test('absent members of the handshake are left out', () => {
      expect(Buffer.from(encode({ kind: 'hello', fields: { ...hello, token: undefined } })).includes('token')).toBe(false);
      expect(roundTrip({ kind: 'welcome', fields: welcome })).toMatchObject({ fields: { grants: [{ capability: 'storage.read', scope: {} }] } });
    });
    test('durations are rounded up, and an infinite one is absent', () => {
      expect(roundTrip({ kind: 'request', id: 2, method: 'x', deadlineMs: 0.2 })).toMatchObject({ deadlineMs: 1 });
      expect(roundTrip({ kind: 'request', id: 2, method: 'x', deadlineMs: Number.POSITIVE_INFINITY })).toMatchObject({ deadlineMs: undefined });
      expect(roundTrip({ kind: 'drain', graceMs: 1_000.5 })).toMatchObject({ graceMs: 1_001 });
    });
  });

  describe('[wire.sender-refuses] fields that the receiver would refuse', () => {
    test.each<[string, Message]>([
      ['method', { kind: 'request', id: 2, method: '' }],
      ['method', { kind: 'request', id: 2, method: 'a b' }],
      ['method', { kind: 'oneWay', method: 'x'.repeat(257) }],
      ['id', { kind: 'request', id: 1.5, method: 'x' }],
      ['id', { kind: 'cancel', id: 2 ** 53 + 2 }],
      ['id', { kind: 'item', id: -1, value: 1 }],
      ['flags', { kind: 'request', id: 2, method: 'x', flags: 256 }],
      ['deadlineMs', { kind: 'request', id: 2, method: 'x', deadlineMs: -1 }],
      ['deadlineMs', { kind: 'request', id: 2, method: 'x', deadlineMs: Number.NaN }],
      ['traceparent', { kind: 'request', id: 2, method: 'x', traceparent: 'x'.repeat(129) }],
      ['idempotencyKey', { kind: 'request', id: 2, method: 'x', idempotencyKey: '' }],
      ['idempotencyKey', { kind: 'request', id: 2, method: 'x', idempotencyKey: 'é'.repeat(129) }],
      ['actingFor', { kind: 'request', id: 2, method: 'x', actingFor: '\ud800' }],
      ['fraction', { kind: 'progress', id: 2, fraction: 1.1 }],
      ['fraction', { kind: 'progress', id: 2, fraction: Number.NaN }],
      ['bytes', { kind: 'credit', id: 2, bytes: 0 }],
      ['bytes', { kind: 'credit', id: 2, bytes: 2 ** 31 }],
      ['nonce', { kind: 'ping', nonce: -1 }],
      ['count', { kind: 'ack', count: 0.5 }],
      ['params/a', { kind: 'request', id: 2, method: 'x', params: { a: new Set() } }],
      ['result', { kind: 'response', id: 2, result: () => 1 }],
      ['value/0', { kind: 'item', id: 2, value: [Symbol('x')] }],
      ['data', { kind: 'progress', id: 2, data: 'a\udc00' }],
      ['hello.token', { kind: 'hello', fields: { ...hello, token: 'x'.repeat(4_097) } }],
      ['hello.manifestDigest', { kind: 'hello', fields: { ...hello, manifestDigest: 'abc' } }],
      ['welcome.generation', { kind: 'welcome', fields: { ...welcome, generation: 0 } }],
      ['welcome/config/a', { kind: 'welcome', fields: { ...welcome, config: { a: new Map() } } }],
    ])('%s of %o', (path, message) => {
      expect(() => encode(message)).toThrow(
        expect.objectContaining({ code: 'INVALID_VALUE', details: { path }, message: expect.stringContaining(`${path} cannot be sent`) }),
      );
    });
  });

  describe('limits', () => {
    const limits: FrameLimits = { maxFrameBytes: 1_000, maxDepth: 5, maxElements: 30, maxMapEntries: 10 };
    test('a frame over the limit names the limit and streams', () => {
      const message: Message = { kind: 'request', id: 2, method: 'x', params: 'a'.repeat(994) };
      expect(() => encode(message, limits)).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE', details: { limit: 1_000, size: 1_002 } }));
      expect(() => encode(message, limits)).toThrow(/1000 \(maxFrameBytes\).*stream/);
      expect(encode({ ...message, params: 'a'.repeat(992) }, limits)).toHaveLength(1_000);
    });
    test('depth and elements are exactly those of the receiver', () => {
      const nest = (depth: number): unknown => (depth === 0 ? [] : [nest(depth - 1)]);
      expect(roundTrip({ kind: 'request', id: 2, method: 'x', params: nest(3) }, limits)).toBeDefined();
      expect(() => encode({ kind: 'request', id: 2, method: 'x', params: nest(4) }, limits)).toThrow(
        expect.objectContaining({ code: 'INVALID_VALUE' }),
      );
      // The message's array, kind, id and value are four of the thirty.
      expect(roundTrip({ kind: 'item', id: 2, value: new Array(26).fill(1) }, limits)).toBeDefined();
      expect(() => encode({ kind: 'item', id: 2, value: new Array(27).fill(1) }, limits)).toThrow('maxElements');
      expect(roundTrip({ kind: 'request', id: 2, method: 'x', params: new Array(19).fill(1), actingFor: 'y' }, limits)).toBeDefined();
      expect(() => encode({ kind: 'request', id: 2, method: 'x', params: new Array(20).fill(1), actingFor: 'y' }, limits)).toThrow('maxElements');
      expect(roundTrip({ kind: 'progress', id: 2, data: new Array(24).fill(1) }, limits)).toBeDefined();
      expect(() => encode({ kind: 'progress', id: 2, data: new Array(25).fill(1) }, limits)).toThrow('maxElements');
    });
  });

  describe('sentences for people', () => {
    test('are cut between characters and made well-formed', () => {
      const long = `${'é'.repeat(3_000)}`;
      const cancelled = roundTrip({ kind: 'cancel', id: 2, reason: long });
      const reason = (cancelled as { reason: string }).reason;
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(4_096);
      expect(Buffer.byteLength(reason)).toBeGreaterThan(4_090);
      expect(reason.endsWith('é…')).toBe(true);
      expect(roundTrip({ kind: 'drain', reason: 'a\ud800b' })).toMatchObject({ reason: 'a\ufffdb' });
      expect(roundTrip({ kind: 'goodbye', code: 'X', message: '🌍'.repeat(2_000) })).toMatchObject({ message: `${'🌍'.repeat(1_023)}…` });
    });
  });

  describe('errors always travel', () => {
    const error = {
      code: 'HANDLER_ERROR',
      message: 'x'.repeat(5_000),
      retryable: false,
      mayHaveRun: true,
      handlerCode: 'A',
      stack: 'y'.repeat(20_000),
    };
    test('with long texts cut', () => {
      const response = roundTrip({ kind: 'response', id: 2, error }) as { error: typeof error };
      expect(response.error).toMatchObject({ code: 'HANDLER_ERROR', retryable: false, mayHaveRun: true, handlerCode: 'A' });
      expect(Buffer.byteLength(response.error.message)).toBe(4_096);
      expect(Buffer.byteLength(response.error.stack)).toBe(16_384);
    });
    test('with details that cannot be sent replaced by the reason', () => {
      expect(roundTrip({ kind: 'end', id: 2, error: { code: 'X', message: 'm', details: { f: () => 1 } } })).toMatchObject({
        error: { code: 'X', message: 'm', details: { detailsOmitted: expect.stringContaining('details/f cannot be sent') } },
      });
    });
    test('with details that are too large replaced by the reason', () => {
      const limits = { ...defaultFrameLimits, maxFrameBytes: 2_000 };
      for (const details of [{ a: 'x'.repeat(3_000) }, { a: 'x'.repeat(1_990) }]) {
        expect(roundTrip({ kind: 'response', id: 2, error: { code: 'X', message: 'm', details } }, limits)).toMatchObject({
          error: { code: 'X', message: 'm', details: { detailsOmitted: expect.stringContaining('maxFrameBytes') } },
        });
      }
    });
    test('a limit that not even the bare error fits is an error, not a loop', () => {
      const limits = { ...defaultFrameLimits, maxFrameBytes: 50 };
      expect(() => encode({ kind: 'response', id: 2, error: { code: 'X', message: 'm'.repeat(100), details: {} } }, limits)).toThrow(
        expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
      );
    });
    test('a result beside an error is left out', () => {
      expect(roundTrip({ kind: 'response', id: 2, error: { code: 'X', message: 'm' }, result: () => 1 })).toMatchObject({ result: undefined });
    });
  });
});
