import { describe, expect, test } from 'vitest';
import type { Message } from '../../src/messages/message.js';
import { connectRaw } from './connect-raw.js';
import { gate, rejection } from './session-pair.js';

const answers: [string, Message][] = [
  ['a response', { kind: 'response', id: 2, result: 'forged' }],
  ['progress', { kind: 'progress', id: 2, fraction: 1 }],
  ['an item', { kind: 'item', id: 2, value: 1 }],
  ['an end', { kind: 'end', id: 2 }],
  ['credit', { kind: 'credit', id: 2, bytes: 10 }],
];

describe('[session.foreign-ids] towards the host', () => {
  test.each(answers)('%s for a call that was never made is recorded, and the session goes on', async (_what, message) => {
    const { clock, raw, side } = await connectRaw('host');
    for (const id of [2, 4, 9_007_199_254_740_992, 1]) raw.send({ ...message, id } as Message);
    await clock.settle();
    expect(side.violations).toHaveLength(4);
    expect(side.violations.every((error) => error.code === 'PROTOCOL_ERROR')).toBe(true);
    expect(side.ends).toEqual([]);
    side.methods.x = () => 'alive';
    raw.send({ kind: 'request', id: 1, method: 'x' });
    await clock.settle();
    expect(raw.of('response')).toMatchObject([{ result: 'alive' }]);
  });

  test.each(answers)('%s that comes late is dropped in silence', async (_what, message) => {
    const { clock, raw, side } = await connectRaw('host');
    const controller = new AbortController();
    const call = rejection(side.session.call('x', {}, { signal: controller.signal }));
    await clock.settle();
    controller.abort();
    await call;
    raw.send(message, message);
    await clock.settle();
    expect([side.violations, side.ends]).toEqual([[], []]);
  });

  test.each<[string, Message]>([
    ['an item in a call that expects none', { kind: 'item', id: 2, value: 1 }],
    ['an end in a call that expects none', { kind: 'end', id: 2 }],
    ['credit for a call that sends no items', { kind: 'credit', id: 2, bytes: 10 }],
    ['an item in a call that announced none', { kind: 'item', id: 1, value: 1 }],
    ['an end in a call that announced none', { kind: 'end', id: 1 }],
    ['credit for a call whose caller expects no items', { kind: 'credit', id: 1, bytes: 10 }],
    ['a cancel for a call that was never made', { kind: 'cancel', id: 3 }],
    ['a cancel for a call of the other side', { kind: 'cancel', id: 2 }],
    ['a cancel for id 0', { kind: 'cancel', id: 0 }],
  ])('%s is recorded', async (_what, message) => {
    const { clock, raw, side } = await connectRaw('host');
    const open = gate();
    side.methods.x = () => open.promise;
    const call = side.session.call('y', {});
    raw.send({ kind: 'request', id: 1, method: 'x' }, message);
    await clock.settle();
    expect(side.violations).toHaveLength(1);
    raw.send({ kind: 'response', id: 2, result: 'fine' });
    expect(await call).toBe('fine');
    open.open();
    await clock.settle();
    expect(raw.of('response')).toMatchObject([{ id: 1 }]);
  });

  test('items after the end are recorded and not read', async () => {
    const { clock, raw, side } = await connectRaw('host');
    const stream = side.session.stream('x', {});
    await clock.settle();
    raw.send(
      { kind: 'item', id: 2, value: 1 },
      { kind: 'end', id: 2 },
      { kind: 'item', id: 2, value: 2 },
      { kind: 'end', id: 2 },
      { kind: 'response', id: 2 },
    );
    const items: unknown[] = [];
    for await (const item of stream) items.push(item);
    expect(items).toEqual([1]);
    expect(side.violations).toHaveLength(2);
  });

  test('a second answer to the same call changes nothing', async () => {
    const { clock, raw, side } = await connectRaw('host');
    const call = side.session.call('x', {});
    await clock.settle();
    raw.send({ kind: 'response', id: 2, result: 'first' }, { kind: 'response', id: 2, result: 'second' });
    expect(await call).toBe('first');
    await clock.settle();
    expect(side.violations).toEqual([]);
  });

  test('the hundredth recorded error ends the session', async () => {
    const { clock, raw, side } = await connectRaw('host');
    const call = rejection(side.session.call('x', {}));
    raw.send(...Array.from({ length: 99 }, (): Message => ({ kind: 'response', id: 1_000 })));
    await clock.settle();
    expect([side.violations.length, side.ends.length]).toEqual([99, 0]);
    raw.send({ kind: 'response', id: 1_000 });
    await clock.settle();
    expect(side.ends).toMatchObject([{ code: 'PROTOCOL_ERROR', message: expect.stringContaining('100 times') }]);
    expect(await call).toMatchObject({ code: 'WORKER_LOST' });
  });

  test.each<[string, Message[]]>([
    ['of the wrong parity', [{ kind: 'request', id: 2, method: 'x' }]],
    [
      'that repeats',
      [
        { kind: 'request', id: 1, method: 'x' },
        { kind: 'request', id: 1, method: 'x' },
      ],
    ],
    [
      'that goes back',
      [
        { kind: 'request', id: 5, method: 'x' },
        { kind: 'request', id: 3, method: 'x' },
      ],
    ],
    ['0', [{ kind: 'request', id: 0, method: 'x' }]],
  ])('a request id %s ends the session', async (_what, messages) => {
    const { clock, raw, side } = await connectRaw('host');
    raw.send(...messages);
    await clock.settle();
    expect(side.ends).toMatchObject([{ code: 'PROTOCOL_ERROR', goodbye: false }]);
    expect(raw.last).toMatchObject({ kind: 'goodbye', code: 'PROTOCOL_ERROR' });
    expect(side.received).toHaveLength(messages.length - 1);
  });
});

test.each<[string, unknown[]]>([
  ['an unknown kind below 64', [16, 1]],
  ['a hello', [3, { versions: [1], role: 'worker', sdk: { name: 'a', version: '1', language: 'x' } }]],
  ['a field of the wrong type', [0, 'one', 'x']],
  ['no array', 5 as unknown as unknown[]],
])('%s after the handshake ends the session, and nothing behind it is read', async (_what, value) => {
  const { clock, raw, side } = await connectRaw('host');
  side.methods.x = () => null;
  raw.sendValues(value, [0, 1, 'x']);
  await clock.settle();
  expect(side.ends).toMatchObject([{ code: 'PROTOCOL_ERROR' }]);
  expect(side.received).toEqual([]);
  expect(raw.last).toMatchObject({ kind: 'goodbye', code: 'PROTOCOL_ERROR' });
});

test('the peer takes no more of it from its host', async () => {
  const { clock, raw, side } = await connectRaw('peer');
  raw.send({ kind: 'request', id: 3, method: 'x' });
  await clock.settle();
  expect(side.ends).toMatchObject([{ code: 'PROTOCOL_ERROR' }]);
});

test('a handler of the session that throws ends it as INTERNAL_ERROR, and tells nobody why', async () => {
  const { clock, raw, side } = await connectRaw('host');
  side.onOneWay = () => {
    throw new Error('secret');
  };
  raw.send({ kind: 'oneWay', method: 'e' });
  await clock.settle();
  expect(side.ends).toMatchObject([{ code: 'INTERNAL_ERROR', message: expect.stringContaining('secret') }]);
  expect(raw.last).toMatchObject({ kind: 'goodbye', code: 'INTERNAL_ERROR' });
  expect(JSON.stringify(raw.messages)).not.toContain('secret');
});
