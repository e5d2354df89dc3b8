import { describe, expect, test } from 'vitest';
import type { IncomingCall } from '../../src/session/incoming-call.js';
import { connectRaw } from './connect-raw.js';
import { connectSessions, gate, rejection } from './session-pair.js';

const never = () => new Promise(() => {});

describe('[session.deadline-crosses] a time limit', () => {
  test.each(['host', 'peer'] as const)('is enforced at the caller (%s) and told to the callee', async (caller) => {
    const pair = await connectSessions();
    const callee = pair[caller === 'host' ? 'peer' : 'host'];
    callee.methods.slow = never;
    const call = rejection(pair[caller].session.call('slow', {}, { timeoutMs: 1_000 }));
    await pair.clock.advance(999);
    expect(callee.received[0]).toMatchObject({ deadlineAt: 1_000, cancelled: false });
    await pair.clock.advance(1);
    expect(await call).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      retryable: true,
      mayHaveRun: true,
      message: expect.stringContaining('1000 ms (timeoutMs)'),
    });
    expect(callee.received[0]?.cancelled).toBe(true);
    expect(callee.received[0]?.signal.aborted).toBe(true);
    expect(callee.session.incomingCallsInFlight).toBe(0);
  });

  test('is 30 s for a call and none for a stream; 0 is none', async () => {
    const { clock, host, peer } = await connectSessions();
    peer.methods.slow = never;
    const call = rejection(host.session.call('slow', {}));
    const unlimited = host.session.call('slow', {}, { timeoutMs: 0 });
    host.session.stream('slow', {}, { idleTimeoutMs: 0 });
    await clock.advance(29_999);
    expect(host.session.callsInFlight).toBe(3);
    expect(peer.received.map((incoming) => incoming.deadlineAt)).toEqual([30_000, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    await clock.advance(1);
    expect(await call).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await clock.advance(3_600_000);
    expect(host.session.callsInFlight).toBe(2);
    host.session.abort('over');
    await rejection(unlimited);
  });

  test('is enforced by the callee too, by its own clock, even if no cancel ever comes', async () => {
    const { clock, raw, side } = await connectRaw('host');
    side.methods.slow = never;
    raw.send({ kind: 'request', id: 1, method: 'slow', deadlineMs: 400 });
    await clock.advance(399);
    expect(raw.of('response')).toEqual([]);
    await clock.advance(1);
    expect(raw.of('response')).toMatchObject([{ id: 1, error: { code: 'DEADLINE_EXCEEDED', mayHaveRun: true } }]);
    expect(side.received[0]?.cancelError).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  test('that has passed on arrival begins nothing', async () => {
    const { clock, raw, side } = await connectRaw('host');
    raw.send({ kind: 'request', id: 1, method: 'x', deadlineMs: 0 });
    await clock.settle();
    expect(raw.of('response')).toMatchObject([{ id: 1, error: { code: 'DEADLINE_EXCEEDED', mayHaveRun: false } }]);
    expect(side.received).toEqual([]);
  });

  test('that is hit while the request waits in the queue says that nothing ran', async () => {
    const { clock, pair, host, peer } = await connectSessions({ highWaterMark: 1_000 });
    peer.methods.echo = (call) => call.params;
    pair.faults[0].stall();
    const filler = host.session.call('echo', 'x'.repeat(2_000));
    await clock.settle();
    const queued = rejection(host.session.call('echo', 'never sent', { timeoutMs: 50 }));
    await clock.advance(50);
    expect(await queued).toMatchObject({ code: 'DEADLINE_EXCEEDED', mayHaveRun: false });
    pair.faults[0].resume();
    await filler;
    await clock.settle();
    expect(peer.received.map((call) => call.id)).toEqual([2]);
    expect(peer.violations).toEqual([]);
  });

  test('must be a sensible number', async () => {
    const { host } = await connectSessions();
    for (const timeoutMs of [-1, Number.NaN, 2 ** 31]) {
      expect(await rejection(host.session.call('x', {}, { timeoutMs }))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('timeoutMs'),
      });
    }
    expect(() => host.session.stream('x', {}, { idleTimeoutMs: -1 })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  test('of many calls needs one timer, and none is left after the end', async () => {
    const { clock, host, peer } = await connectSessions();
    peer.methods.slow = never;
    const before = clock.pendingTimers;
    const calls = Array.from({ length: 50 }, (_, i) => rejection(host.session.call('slow', {}, { timeoutMs: 5_000 + (i % 7) * 100 })));
    expect(clock.pendingTimers - before).toBe(1);
    await clock.advance(5_300);
    expect(host.session.callsInFlight).toBe(21);
    await clock.advance(300);
    expect((await Promise.all(calls)).every((error) => error.code === 'DEADLINE_EXCEEDED')).toBe(true);
    host.session.close('STOPPED', 'over');
    await Promise.all([host.session.closed, peer.session.closed]);
    expect(clock.pendingTimers).toBe(0);
  });
});

test('[session.progress-never-extends] progress does not extend the total limit of a call', async () => {
  const { clock, host, peer } = await connectSessions();
  peer.methods.work = async (call) => {
    for (;;) {
      await new Promise<void>((resolve) => clock.setTimer(100, resolve));
      if (call.cancelled) return;
      call.progress(0.5);
    }
  };
  let steps = 0;
  const call = rejection(host.session.call('work', {}, { timeoutMs: 1_050, onProgress: () => (steps += 1) }));
  await clock.advance(1_050);
  expect(await call).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  expect(steps).toBe(10);
  await clock.advance(100);
});

describe('the silence of a stream', () => {
  test('has a limit of its own, which items and progress start anew', async () => {
    const { clock, host, peer } = await connectSessions();
    let call!: IncomingCall;
    peer.methods.feed = (incoming) => {
      call = incoming;
      return never();
    };
    const stream = host.session.stream('feed', {}, { idleTimeoutMs: 1_000 });
    const items: unknown[] = [];
    const reading = rejection(
      (async () => {
        for await (const item of stream) items.push(item);
      })(),
    );
    await clock.advance(900);
    void call.sendItem(1);
    await clock.advance(900);
    call.progress(undefined, 'still here');
    await clock.advance(900);
    void call.sendItem(2);
    await clock.advance(999);
    expect(host.session.callsInFlight).toBe(1);
    await clock.advance(1);
    expect(await reading).toMatchObject({ code: 'DEADLINE_EXCEEDED', message: expect.stringContaining('idleTimeoutMs') });
    expect(items).toEqual([1, 2]);
    expect(await rejection(stream.result)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  test('does not count while the reader has something to read, however slow it is', async () => {
    const { clock, host, peer } = await connectSessions();
    peer.methods.feed = async (call) => {
      void call.sendItem('a');
      void call.sendItem('b');
      await new Promise<void>((resolve) => clock.setTimer(10_000, resolve));
      void call.sendItem('c');
      return 'done';
    };
    const stream = host.session.stream('feed', {}, { idleTimeoutMs: 3_000 });
    const iterator = stream[Symbol.asyncIterator]();
    await clock.advance(0);
    expect((await iterator.next()).value).toBe('a');
    await clock.advance(7_900);
    // The last item that was there: only now the callee is waited for.
    expect((await iterator.next()).value).toBe('b');
    const third = iterator.next();
    await clock.advance(2_200);
    expect((await third).value).toBe('c');
    expect(await stream.result).toBe('done');
  });
});

describe('[session.cancel-crosses] a cancel', () => {
  test('before the call sends nothing', async () => {
    const { host, peer, clock } = await connectSessions();
    const reason = new Error('not needed');
    const error = await rejection(host.session.call('x', {}, { signal: AbortSignal.abort(reason) }));
    expect(error).toMatchObject({ code: 'CANCELLED', mayHaveRun: false, cause: reason });
    await clock.settle();
    expect(peer.received).toEqual([]);
  });

  test.each(['host', 'peer'] as const)('in flight settles the caller (%s) at once and aborts the handler', async (caller) => {
    const pair = await connectSessions();
    const callee = pair[caller === 'host' ? 'peer' : 'host'];
    const seen: string[] = [];
    callee.methods.slow = (call) =>
      new Promise((_resolve, reject) => {
        call.signal.addEventListener('abort', () => {
          seen.push(`signal ${call.cancelError?.code}`);
          reject(call.signal.reason);
        });
        call.onCancel((error) => seen.push(`listener ${error.code}`));
      });
    const controller = new AbortController();
    const call = pair[caller].session.call('slow', {}, { signal: controller.signal });
    await pair.clock.settle();
    let settled = false;
    const outcome = rejection(call).then((error) => {
      settled = true;
      return error;
    });
    controller.abort('enough');
    await Promise.resolve()
      .then(() => {})
      .then(() => {});
    expect(settled).toBe(true);
    expect(await outcome).toMatchObject({ code: 'CANCELLED', mayHaveRun: true, cause: 'enough' });
    await pair.clock.settle();
    expect(seen).toEqual(['signal CANCELLED', 'listener CANCELLED']);
    expect([callee.session.incomingCallsInFlight, callee.session.runningHandlers]).toEqual([0, 0]);
    expect([...pair.host.violations, ...pair.peer.violations]).toEqual([]);
  });

  test('after the answer changes nothing', async () => {
    const { host, peer, clock } = await connectSessions();
    peer.methods.x = () => 'answer';
    const controller = new AbortController();
    expect(await host.session.call('x', {}, { signal: controller.signal })).toBe('answer');
    controller.abort();
    await clock.settle();
    expect(peer.received[0]?.cancelled).toBe(false);
  });

  test('of a request that is still in the queue takes it out', async () => {
    const { clock, pair, host, peer } = await connectSessions({ highWaterMark: 1_000 });
    peer.methods.echo = (call) => call.params;
    pair.faults[0].stall();
    const filler = host.session.call('echo', 'x'.repeat(2_000));
    await clock.settle();
    const controller = new AbortController();
    const queuedBefore = host.session.queuedBytes;
    const empty = async function* () {};
    const queued = rejection(host.session.call('echo', 'y'.repeat(500), { signal: controller.signal, input: empty() }));
    await clock.settle();
    expect(host.session.queuedBytes).toBeGreaterThan(queuedBefore + 500);
    controller.abort();
    expect(await queued).toMatchObject({ code: 'CANCELLED', mayHaveRun: false });
    expect(host.session.queuedBytes).toBe(queuedBefore);
    pair.faults[0].resume();
    await filler;
    await clock.settle();
    expect(peer.received).toHaveLength(1);
    expect(peer.violations).toEqual([]);
  });

  test('[session.answers-once] is answered once, and what the handler says afterwards is not sent', async () => {
    const { clock, raw, side } = await connectRaw('host');
    const late = gate<string>();
    side.methods.slow = () => late.promise;
    raw.send({ kind: 'request', id: 1, method: 'slow' }, { kind: 'cancel', id: 1, reason: 'bored' });
    await clock.settle();
    expect(raw.of('response')).toMatchObject([{ id: 1, error: { code: 'CANCELLED', message: expect.stringContaining('bored') } }]);
    raw.send({ kind: 'cancel', id: 1 });
    late.open('too late');
    await clock.settle();
    expect(raw.of('response')).toHaveLength(1);
    expect(side.session.runningHandlers).toBe(0);
    expect(side.violations).toEqual([]);
  });

  test('with a reason that no wire carries still settles', async () => {
    const { clock, raw, side } = await connectRaw('host');
    const stream = side.session.stream('x', {});
    await clock.settle();
    stream.cancel(`half \ud800 ${'x'.repeat(10_000)}`);
    expect(await rejection(stream.result)).toMatchObject({ code: 'CANCELLED' });
    await clock.settle();
    expect(raw.of('cancel')).toMatchObject([{ id: 2, reason: expect.stringContaining('half \ufffd') }]);
  });
});

describe('[session.nested-cancel] a nested call', () => {
  test('names its parent, and has no more time than it', async () => {
    const { clock, host, peer } = await connectSessions();
    host.methods.inner = never;
    peer.methods.outer = (call) => peer.session.call('inner', {}, { parent: call, timeoutMs: 60_000 });
    const outer = rejection(host.session.call('outer', {}, { timeoutMs: 1_000 }));
    await clock.settle();
    expect(host.received[0]).toMatchObject({ method: 'inner', parentId: 2, deadlineAt: 1_000 });
    await clock.advance(1_000);
    expect(await outer).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect([host.session.incomingCallsInFlight, peer.session.callsInFlight, peer.session.incomingCallsInFlight]).toEqual([0, 0, 0]);
  });

  test('names the limit that ended it', async () => {
    const { clock, host, peer } = await connectSessions();
    let inner: Promise<unknown> | undefined;
    host.methods.inner = never;
    peer.methods.outer = (call) => {
      inner = rejection(peer.session.call('inner', {}, { parent: call, timeoutMs: 60_000 }));
      return never();
    };
    // The caller's own clock does not run out first here: only the callee's does.
    const outer = rejection(host.session.call('outer', {}, { timeoutMs: 1_000 }));
    await clock.advance(1_000);
    await outer;
    expect(await inner).toMatchObject({ message: expect.stringMatching(/"outer"/) });
  });

  test.each([
    ['is cancelled', (controller: AbortController) => controller.abort()],
    ['has ended', (_controller: AbortController, open: () => void) => open()],
  ])('is cancelled when its parent %s', async (_what, end) => {
    const { clock, host, peer } = await connectSessions();
    const answer = gate<void>();
    let inner: Promise<{ code: string }> | undefined;
    host.methods.inner = never;
    peer.methods.outer = (call) => {
      inner = rejection(peer.session.call('inner', {}, { parent: call }));
      return answer.promise;
    };
    const controller = new AbortController();
    const outer = host.session.call('outer', {}, { signal: controller.signal }).catch(() => {});
    await clock.settle();
    end(controller, () => answer.open());
    await outer;
    await clock.settle();
    expect(await inner).toMatchObject({ code: 'CANCELLED' });
    expect(host.received[0]?.cancelled).toBe(true);
    expect([host.session.incomingCallsInFlight, peer.session.callsInFlight]).toEqual([0, 0]);
    answer.open();
  });

  test('cannot begin when its parent is over', async () => {
    const { host, peer } = await connectSessions();
    peer.methods.outer = () => 'done';
    await host.session.call('outer', {});
    const [parent] = peer.received;
    expect(parent).toBeDefined();
    if (parent !== undefined)
      expect(await rejection(peer.session.call('inner', {}, { parent }))).toMatchObject({ code: 'CANCELLED', mayHaveRun: false });
    expect(host.received).toEqual([]);
  });

  test('of a parent that is not in flight is answered CANCELLED, and not begun', async () => {
    const { clock, raw, side } = await connectRaw('host');
    raw.send({ kind: 'request', id: 1, method: 'x', parentId: 2 });
    await clock.settle();
    expect(raw.of('response')).toMatchObject([{ id: 1, error: { code: 'CANCELLED', mayHaveRun: false } }]);
    expect(side.received).toEqual([]);
  });

  test('on another session has the time of its parent, but does not name it there', async () => {
    const first = await connectSessions();
    const second = await connectSessions({ clock: first.clock });
    first.host.methods.route = (call) => second.host.session.call('work', {}, { parent: call });
    second.peer.methods.work = never;
    const outer = rejection(first.peer.session.call('route', {}, { timeoutMs: 500 }));
    await first.clock.settle();
    expect(second.peer.received[0]).toMatchObject({ parentId: undefined, deadlineAt: 500 });
    await first.clock.advance(500);
    expect(await outer).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(second.peer.received[0]?.cancelled).toBe(true);
  });

  test('leaves nothing behind at a parent that makes very many', async () => {
    const { host, peer } = await connectSessions();
    host.methods.inner = (call) => call.params;
    peer.methods.outer = async (call) => {
      let sum = 0;
      for (let i = 0; i < 500; i += 1) sum += (await peer.session.call('inner', i, { parent: call })) as number;
      return sum;
    };
    expect(await host.session.call('outer', {})).toBe(124_750);
    expect(host.received).toHaveLength(500);
  });
});
