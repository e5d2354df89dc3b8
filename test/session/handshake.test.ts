import { describe, expect, test } from 'vitest';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { HelloFields, Message, WelcomeFields } from '../../src/messages/message.js';
import { acceptHandshake, performHandshake } from '../../src/session/handshake.js';
import type { Session } from '../../src/session/session.js';
import { SimulatedClock } from '../../src/testing/simulated-clock.js';
import { createMemoryPair } from '../../transports/memory/memory-pair.js';
import { RawPeer } from './raw-peer.js';
import { admitted, createSide, hello, rejection } from './session-pair.js';

type Admit = (hello: HelloFields) => typeof admitted | Promise<typeof admitted>;

/** A host that waits for a hello, and the raw other end. */
function waitingHost(options: { admit?: Admit; requiredFeatures?: string[]; timeoutMs?: number } = {}) {
  const clock = new SimulatedClock();
  const pair = createMemoryPair({ clock });
  const { side, establish } = createSide('host', pair, clock, {});
  const raw = new RawPeer(pair[1]);
  const { requiredFeatures, timeoutMs } = options;
  const outcome = acceptHandshake<Session>({
    connection: side.connection,
    clock,
    admit: options.admit ?? (() => admitted),
    establish,
    ...(requiredFeatures === undefined ? {} : { requiredFeatures }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  outcome.catch(() => {});
  return { clock, pair, side, raw, outcome };
}

/** A peer that says hello, and the raw host at the other end. */
function greetingPeer(fields: Partial<HelloFields> = {}, timeoutMs?: number) {
  const clock = new SimulatedClock();
  const pair = createMemoryPair({ clock });
  const { side, establish } = createSide('peer', pair, clock, {});
  const raw = new RawPeer(pair[0]);
  const outcome = performHandshake<Session>({
    connection: side.connection,
    clock,
    hello: { ...hello, ...fields },
    establish,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  outcome.catch(() => {});
  return { clock, pair, side, raw, outcome };
}

const sayHello = (fields: Partial<HelloFields> = {}): Message => ({ kind: 'hello', fields: { ...hello, ...fields } });
const welcome = (fields: Partial<WelcomeFields> = {}): Message => ({ kind: 'welcome', fields: { ...admitted, version: 1, features: [], ...fields } });

describe('the host', () => {
  test('[handshake.versions] takes the highest common version and answers with welcome', async () => {
    const { raw, outcome, clock, side } = waitingHost();
    raw.send(sayHello({ versions: [7, 1, 3] }));
    const session = await outcome;
    await clock.settle();
    expect(raw.messages).toEqual([{ kind: 'welcome', fields: { ...admitted, version: 1, features: [] } }]);
    expect(clock.pendingTimers).toBe(0);
    expect(side.session).toBe(session);
  });

  test('[handshake.versions] rejects a peer without a common version and says what it supports', async () => {
    const { raw, outcome, clock } = waitingHost();
    raw.send(sayHello({ versions: [2, 3] }));
    expect(await rejection(outcome)).toMatchObject({ code: 'UNSUPPORTED_VERSION' });
    await clock.runUntilIdle();
    expect(raw.messages).toMatchObject([{ kind: 'reject', code: 'UNSUPPORTED_VERSION', supported: { versions: [1], features: [] } }]);
    expect(raw.closed).toBeDefined();
  });

  test('[handshake.required-features] rejects a feature that it lacks, by name', async () => {
    const { raw, outcome, clock } = waitingHost();
    raw.send(sayHello({ requiredFeatures: ['teleport'], features: ['teleport'] }));
    expect(await rejection(outcome)).toMatchObject({ code: 'MISSING_FEATURE', message: expect.stringContaining('"teleport"') });
    await clock.settle();
    expect(raw.messages).toMatchObject([{ kind: 'reject', code: 'MISSING_FEATURE', message: expect.stringContaining('"teleport"') }]);
  });

  test('[handshake.required-features] rejects a peer that lacks a feature that it insists on', async () => {
    const { raw, outcome, clock } = waitingHost({ requiredFeatures: ['audit2'] });
    raw.send(sayHello());
    expect(await rejection(outcome)).toMatchObject({ code: 'MISSING_FEATURE' });
    await clock.settle();
    expect(raw.messages).toMatchObject([{ kind: 'reject', code: 'MISSING_FEATURE', message: expect.stringContaining('"audit2"') }]);
  });

  test.each(['synchronous', 'asynchronous'])('[handshake.identity] a refusal by admit (%s) is the reject', async (how) => {
    const refuse = (): never => {
      throw new WorkerRuntimeError('HANDSHAKE_INVALID', `This is not "test", but \ud800 ${'x'.repeat(10_000)}`);
    };
    const { raw, outcome, clock } = waitingHost({ admit: how === 'synchronous' ? refuse : async () => refuse() });
    raw.send(sayHello());
    expect(await rejection(outcome)).toMatchObject({ code: 'HANDSHAKE_INVALID' });
    await clock.settle();
    expect(raw.messages).toMatchObject([{ kind: 'reject', code: 'HANDSHAKE_INVALID', message: expect.stringContaining('This is not') }]);
  });

  test('a defect in admit is an INTERNAL_ERROR that tells the peer nothing', async () => {
    const { raw, outcome, clock } = waitingHost({
      admit: () => {
        throw new TypeError('secret detail');
      },
    });
    raw.send(sayHello());
    expect(await rejection(outcome)).toMatchObject({ code: 'INTERNAL_ERROR' });
    await clock.settle();
    expect(raw.messages).toMatchObject([{ kind: 'reject', code: 'INTERNAL_ERROR' }]);
    expect(JSON.stringify(raw.messages)).not.toContain('secret');
  });

  test('a welcome that no peer could read becomes a reject that says so', async () => {
    const { raw, outcome, clock } = waitingHost({ admit: async () => ({ ...admitted, config: { text: 'x'.repeat(200_000) } }) });
    raw.send(sayHello());
    expect(await rejection(outcome)).toMatchObject({ code: 'FRAME_TOO_LARGE' });
    await clock.settle();
    expect(raw.messages).toMatchObject([{ kind: 'reject', code: 'FRAME_TOO_LARGE' }]);
  });

  test('[handshake.bounded] gives up after its time, and names the limit', async () => {
    const { clock, outcome, raw } = waitingHost();
    await clock.advance(9_999);
    expect(raw.closed).toBeUndefined();
    await clock.advance(1);
    expect(await rejection(outcome)).toMatchObject({ code: 'HANDSHAKE_TIMEOUT', message: expect.stringContaining('10000 ms') });
    await clock.settle();
    expect(raw.closed).toBeDefined();
    expect(clock.pendingTimers).toBe(0);
  });

  test('[handshake.bounded] gives up while admit is still thinking, and is not disturbed by its answer', async () => {
    let admit!: (fields: typeof admitted) => void;
    const { clock, outcome, raw, side } = waitingHost({ timeoutMs: 50, admit: () => new Promise((resolve) => (admit = resolve)) });
    raw.send(sayHello());
    await clock.advance(50);
    expect(await rejection(outcome)).toMatchObject({ code: 'HANDSHAKE_TIMEOUT' });
    admit(admitted);
    await clock.settle();
    expect(raw.messages).toEqual([]);
    expect(() => side.session).toThrow();
  });

  test.each<[string, (raw: RawPeer) => void]>([
    ['bytes that are no frame', (raw) => raw.sendBytes(...new TextEncoder().encode('GET / HTTP/1.1\r\n'))],
    ['a frame over 128 KiB', (raw) => raw.sendBytes(0, 2, 0, 1)],
    ['a frame that is no message', (raw) => raw.sendValues('hello')],
    ['a hello without versions', (raw) => raw.sendValues([3, { role: 'worker', sdk: hello.sdk }])],
    ['a request', (raw) => raw.send({ kind: 'request', id: 1, method: 'x' })],
    ['a ping', (raw) => raw.send({ kind: 'ping', nonce: 1 })],
    ['a welcome', (raw) => raw.send(welcome())],
  ])('[handshake.bounded] accepts nothing but hello: not %s', async (_what, send) => {
    const { clock, outcome, raw } = waitingHost();
    send(raw);
    expect(await rejection(outcome)).toMatchObject({ code: 'PROTOCOL_ERROR' });
    await clock.runUntilIdle();
    expect(raw.messages).toMatchObject([{ kind: 'reject', code: 'HANDSHAKE_INVALID' }]);
    expect(raw.closed).toBeDefined();
  });

  test('[handshake.bounded] a second message while admit is thinking ends it', async () => {
    const { clock, outcome, raw } = waitingHost({ admit: () => new Promise(() => {}) });
    raw.send(sayHello(), { kind: 'request', id: 1, method: 'x' });
    expect(await rejection(outcome)).toMatchObject({ code: 'PROTOCOL_ERROR' });
    expect(clock.pendingTimers).toBeLessThanOrEqual(1); // The connection waits for the other end to close.
  });

  test('a connection that is lost ends it', async () => {
    const { pair, outcome, clock } = waitingHost();
    pair.faults[0].cut();
    expect(await rejection(outcome)).toMatchObject({ code: 'CONNECTION_LOST' });
    expect(clock.pendingTimers).toBe(0);
  });

  test('the first call may be in the same batch as the hello was answered in', async () => {
    const { raw, outcome, side, clock } = waitingHost();
    raw.send(sayHello());
    side.methods.echo = (call) => call.params;
    await outcome;
    raw.send({ kind: 'request', id: 1, method: 'echo', params: 'early' });
    await clock.settle();
    expect(raw.last).toMatchObject({ kind: 'response', id: 1, result: 'early' });
  });
});

describe('the peer', () => {
  test('says hello and is established by the welcome, messages behind it in the same batch included', async () => {
    const { raw, outcome, side, clock } = greetingPeer();
    side.methods['plugin.load'] = () => ({ methods: ['a'] });
    await clock.settle();
    expect(raw.messages).toEqual([sayHello()]);
    raw.send(welcome(), { kind: 'request', id: 2, method: 'plugin.load' });
    expect(await outcome).toBe(side.session);
    await clock.settle();
    expect(raw.last).toMatchObject({ kind: 'response', id: 2, result: { methods: ['a'] } });
  });

  test('reports a reject with its code and what the host supports', async () => {
    const { raw, outcome, clock } = greetingPeer();
    raw.send({ kind: 'reject', code: 'UNAUTHENTICATED', message: 'Unknown token.', supported: { versions: [1], features: [] } });
    expect(await rejection(outcome)).toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('Unknown token.'),
      details: { supported: { versions: [1] } },
    });
    await clock.runUntilIdle();
    expect(raw.closed).toBeDefined();
  });

  test.each<[string, Message]>([
    ['a message before welcome', { kind: 'request', id: 2, method: 'x' }],
    ['a hello', sayHello()],
    ['a version that was not offered', welcome({ version: 9 })],
  ])('refuses %s', async (_what, message) => {
    const { raw, outcome, clock } = greetingPeer();
    raw.send(message);
    expect(await rejection(outcome)).toMatchObject({ code: 'PROTOCOL_ERROR' });
    await clock.runUntilIdle();
    expect(raw.closed).toBeDefined();
  });

  test('[handshake.required-features] says goodbye to a host that lacks a feature that it requires', async () => {
    const { raw, outcome, clock, side } = greetingPeer({ requiredFeatures: ['teleport'] });
    raw.send(welcome());
    expect(await rejection(outcome)).toMatchObject({ code: 'MISSING_FEATURE', message: expect.stringContaining('"teleport"') });
    await clock.settle();
    expect(raw.last).toMatchObject({ kind: 'goodbye', code: 'MISSING_FEATURE' });
    expect(() => side.session).toThrow();
  });

  test('gives up after its time', async () => {
    const { clock, outcome } = greetingPeer({}, 200);
    await clock.advance(200);
    expect(await rejection(outcome)).toMatchObject({ code: 'HANDSHAKE_TIMEOUT' });
    expect(clock.pendingTimers).toBe(0);
  });

  test('a hello that cannot be sent is an error, not a wait', async () => {
    const { outcome, clock } = greetingPeer({ token: '\ud800' });
    expect(await rejection(outcome)).toMatchObject({ code: 'INVALID_VALUE' });
    await clock.settle();
    expect(clock.pendingTimers).toBe(0);
  });

  test('after the welcome frames may be larger, in the same batch already', async () => {
    const { raw, outcome, side, clock } = greetingPeer();
    side.methods.size = (call) => (call.params as string).length;
    raw.send(welcome(), { kind: 'request', id: 2, method: 'size', params: 'x'.repeat(300_000) });
    await outcome;
    await clock.settle();
    expect(raw.last).toMatchObject({ kind: 'response', id: 2, result: 300_000 });
  });
});
