import { describe, expect, test } from 'vitest';
import type { Reason } from '../../src/errors/reason.js';
import type { Message } from '../../src/messages/message.js';
import { connectRaw } from './connect-raw.js';
import { connectSessions, gate, rejection, type SessionPair } from './session-pair.js';

const never = () => new Promise(() => {});

describe('[session.drain] drain', () => {
  test('takes no new calls; calls in flight and those nested in them go on; then goodbye', async () => {
    const { clock, host, peer } = await connectSessions();
    const begin = gate();
    peer.methods.outer = async (call) => {
      await begin.promise;
      return peer.session.call('inner', {}, { parent: call });
    };
    host.methods.inner = () => 'from the host';
    const outer = host.session.call('outer', {});
    await clock.settle();
    host.session.drain(5_000, 'update');
    host.session.drain(1, 'said once is enough');
    await clock.settle();
    expect(peer.drains).toEqual([{ graceMs: 5_000, reason: 'update' }]);
    expect(peer.session.peerDraining).toBe(true);
    // The side that was told starts nothing of its own…
    expect(await rejection(peer.session.call('inner', {}))).toMatchObject({ code: 'DRAINING', mayHaveRun: false, retryable: true });
    let idle = false;
    const waiting = host.session.idle().then(() => (idle = true));
    await clock.settle();
    expect(idle).toBe(false);
    // …but what is in flight may still call.
    begin.open();
    expect(await outer).toBe('from the host');
    await waiting;
    host.session.close('STOPPED', 'updated');
    await clock.runUntilIdle();
    expect(peer.ends).toEqual([{ code: 'STOPPED', message: 'updated', goodbye: true }]);
    expect(host.ends).toEqual([{ code: 'STOPPED', message: 'updated', goodbye: false }]);
  });

  test('calls that were under way when drain was said are answered DRAINING', async () => {
    const { clock, raw, side } = await connectRaw('host');
    side.methods.x = () => 1;
    side.session.drain(1_000, 'over');
    raw.send({ kind: 'request', id: 1, method: 'x' });
    await clock.settle();
    expect(raw.of('response')).toMatchObject([{ id: 1, error: { code: 'DRAINING', retryable: true, mayHaveRun: false } }]);
  });

  test('idle resolves at once when nothing is in flight, and when the session ends', async () => {
    const { host, peer } = await connectSessions();
    await host.session.idle();
    peer.methods.x = never;
    const call = rejection(host.session.call('x', {}));
    const idle = host.session.idle();
    host.session.abort('over');
    await idle;
    await call;
  });
});

describe('[session.may-have-run] the end of the connection', () => {
  const ways: [string, (pair: SessionPair) => void, string][] = [
    ['is cut', ({ pair }) => pair.faults[1].cut(), 'CONNECTION_LOST'],
    ['is closed by the peer', ({ peer }) => peer.session.close('DRAINED', 'bye'), 'DRAINED'],
    ['is aborted by the peer', ({ peer }) => peer.session.abort('crash'), 'CONNECTION_LOST'],
    ['is half-closed by the peer', ({ pair }) => pair.faults[1].end(), 'PEER_CLOSED'],
    ['is closed here', ({ host }) => host.session.close('STOPPED', 'enough'), 'STOPPED'],
    ['is aborted here', ({ host }) => host.session.abort('enough'), 'ABORTED'],
  ];
  test.each(ways)('[session.settles-once] settles every call once when it %s', async (_what, end, code) => {
    const pair = await connectSessions();
    const { clock, host, peer } = pair;
    peer.methods.slow = never;
    host.methods.slow = never;
    const settled: string[] = [];
    const note = (name: string, promise: Promise<unknown>) =>
      promise.then(
        () => settled.push(`${name} resolved`),
        (error) => settled.push(`${name} ${error.code} ${error.mayHaveRun}`),
      );
    const stream = host.session.stream('slow', {});
    void note('call', host.session.call('slow', {}));
    void note('result', stream.result);
    void note('items', stream[Symbol.asyncIterator]().next());
    void note('back', peer.session.call('slow', {}));
    await clock.settle();
    const calls = [...host.received, ...peer.received];
    end(pair);
    await clock.runUntilIdle();
    expect(settled.sort()).toEqual(['back HOST_LOST true', 'call WORKER_LOST true', 'items WORKER_LOST true', 'result WORKER_LOST true']);
    expect(host.ends).toMatchObject([{ code }]);
    expect(peer.ends).toHaveLength(1);
    expect(calls.map((call) => [call.cancelled, call.answered])).toEqual([
      [true, true],
      [true, true],
      [true, true],
    ]);
    expect([host.session.callsInFlight, peer.session.callsInFlight, host.session.incomingCallsInFlight, peer.session.incomingCallsInFlight]).toEqual([
      0, 0, 0, 0,
    ]);
    expect(clock.pendingTimers).toBe(0);
    await host.session.closed;
    await peer.session.closed;
    // From now on everything is refused, and nothing throws that should not.
    expect(await rejection(host.session.call('x', {}))).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: false });
    expect(() => peer.session.stream('x', {})).toThrow(expect.objectContaining({ code: 'HOST_LOST', mayHaveRun: false }));
    expect(host.session.notify('x', {})).toBe(false);
    host.session.close('STOPPED', 'again');
    host.session.abort('again');
    host.session.drain(1, 'again');
    await host.session.idle();
    await clock.settle();
    expect(host.ends).toHaveLength(1);
  });

  test('says false for what never left the queue, true for what did', async () => {
    const { clock, pair, host, peer } = await connectSessions({ highWaterMark: 1_000 });
    const ran: unknown[] = [];
    peer.methods.note = (call) => {
      ran.push(call.params);
      return never();
    };
    const outcomes = [rejection(host.session.call('note', 'arrives'))];
    await clock.settle();
    pair.faults[0].stall();
    outcomes.push(rejection(host.session.call('note', 'x'.repeat(2_000))));
    await clock.settle();
    outcomes.push(rejection(host.session.call('note', 'queued')));
    pair.faults[0].cut({ deliverBytes: 0 });
    await clock.settle();
    expect((await Promise.all(outcomes)).map((error) => [error.code, error.mayHaveRun])).toEqual([
      ['WORKER_LOST', true],
      ['WORKER_LOST', true],
      ['WORKER_LOST', false],
    ]);
    expect(ran).toEqual(['arrives']);
  });

  test('says false for what waited for the end of the turn when the session was aborted', async () => {
    const { clock, host, peer } = await connectSessions();
    const call = rejection(host.session.call('x', {}));
    host.session.abort('at once');
    expect(await call).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: false });
    await clock.runUntilIdle();
    expect(peer.received).toEqual([]);
  });

  test('a goodbye leaves behind the requests that were still queued, but not the answers', async () => {
    const { clock, pair, host, peer } = await connectSessions({ highWaterMark: 1_000 });
    const open = gate<string>();
    host.methods.ask = () => open.promise;
    const asked = peer.session.call('ask', {});
    await clock.settle();
    pair.faults[0].stall();
    host.session.notify('filler', 'x'.repeat(2_000));
    await clock.settle();
    const queued = rejection(host.session.call('work', {}));
    open.open('answer');
    await clock.settle();
    host.session.close('STOPPED', 'bye');
    expect(await queued).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: false });
    pair.faults[0].resume();
    expect(await asked).toBe('answer');
    await clock.runUntilIdle();
    expect(peer.received).toEqual([]);
    expect(peer.ends).toMatchObject([{ code: 'STOPPED', goodbye: true }]);
  });

  test('nested calls of the session that is lost are lost, those of another are cancelled', async () => {
    const first = await connectSessions();
    const second = await connectSessions({ clock: first.clock });
    const inner: Promise<{ code: string; mayHaveRun: boolean | undefined }>[] = [];
    first.host.methods.back = never;
    second.peer.methods.away = never;
    first.peer.methods.outer = (call) => {
      inner.push(rejection(first.peer.session.call('back', {}, { parent: call })), rejection(second.host.session.call('away', {}, { parent: call })));
      return never();
    };
    const outer = rejection(first.host.session.call('outer', {}));
    await first.clock.settle();
    first.pair.faults[0].cut();
    await outer;
    expect((await Promise.all(inner)).map(({ code, mayHaveRun }) => [code, mayHaveRun])).toEqual([
      ['HOST_LOST', true],
      ['CANCELLED', true],
    ]);
    await first.clock.settle();
    expect(second.peer.received[0]?.cancelled).toBe(true);
    second.host.session.abort('over');
  });
});

describe('why a session was lost', () => {
  const reason: Reason = {
    code: 'KILLED_BY_SIGNAL',
    message: 'The worker was killed by SIGKILL.',
    since: '2026-01-01T00:00:00.000Z',
    exitCode: null,
    signal: 'SIGKILL',
    stderrTail: 'last words',
    restarts: 0,
    nextRetryAt: null,
    action: 'Find out.',
  };

  test('is waited for, and goes into the error of every call', async () => {
    const known = gate<{ message: string; reason: Reason }>();
    const { clock, pair, host, peer } = await connectSessions({ explainLoss: () => known.promise });
    peer.methods.slow = never;
    const call = rejection(host.session.call('slow', {}));
    const short = rejection(host.session.call('slow', {}, { timeoutMs: 50 }));
    await clock.settle();
    pair.faults[1].cut();
    await clock.settle();
    expect([host.session.callsInFlight, host.ends.length]).toEqual([2, 0]);
    expect(await rejection(host.session.call('more', {}))).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: false });
    // A deadline does not wait for the explanation.
    await clock.advance(50);
    expect(await short).toMatchObject({ code: 'DEADLINE_EXCEEDED', mayHaveRun: true });
    known.open({ message: reason.message, reason });
    expect(await call).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true, reason, message: expect.stringContaining('killed by SIGKILL') });
    await clock.settle();
    expect(host.ends).toMatchObject([{ code: 'CONNECTION_LOST' }]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('may stay unknown', async () => {
    const { pair, host, peer } = await connectSessions({ explainLoss: () => Promise.reject(new Error('cannot tell')) });
    peer.methods.slow = never;
    const call = rejection(host.session.call('slow', {}));
    await host.session.ping();
    pair.faults[1].cut();
    expect(await call).toMatchObject({ code: 'WORKER_LOST', reason: undefined });
  });
});

test('goodbye is the last message, even when a receipt is due', async () => {
  const { clock, raw, side } = await connectRaw('host');
  raw.send(...Array.from({ length: 50 }, (): Message => ({ kind: 'oneWay', method: 'e' })));
  await clock.settle();
  side.session.close('STOPPED', 'bye');
  await clock.settle();
  expect(raw.messages.map(({ kind }) => kind)).toEqual(['goodbye']);
});

test('no timer outlives the session: not that of an ack that is due, nor that of a time limit', async () => {
  const { clock, host, peer } = await connectSessions();
  peer.methods.slow = never;
  const calls = [rejection(host.session.call('slow', {})), rejection(peer.session.call('unknown', {}))];
  await clock.settle();
  expect(clock.pendingTimers).toBeGreaterThan(2);
  host.session.abort('over');
  await Promise.all(calls);
  await clock.settle();
  expect([clock.pendingTimers, clock.now()]).toEqual([0, 0]);
});

test('[session.send-never-throws] no operation throws, whatever state the pipe is in', async () => {
  const { clock, pair, host, peer } = await connectSessions({ highWaterMark: 100 });
  peer.methods.echo = (call) => call.params;
  const work = (): void => {
    void host.session.call('echo', 'x'.repeat(300)).catch(() => {});
    host.session.notify('e', 'x'.repeat(50));
    void host.session.ping();
    try {
      host.session.stream('echo', {}).cancel();
    } catch (error) {
      expect(error).toMatchObject({ code: 'WORKER_LOST' });
    }
  };
  work();
  pair.faults[0].stall(5);
  await clock.settle();
  work();
  pair.faults[0].cut({ deliverBytes: 3 });
  work();
  await clock.settle();
  work();
  await clock.runUntilIdle();
  work();
  host.session.close('STOPPED', '\ud800'.repeat(9_000));
  await clock.runUntilIdle();
  expect(host.session.callsInFlight).toBe(0);
});

test.each([1, 3, 7, 64])('frames cut into pieces of at most %i bytes mean the same', async (bytes) => {
  const { host, peer, pair } = await connectSessions({ seed: bytes });
  pair.faults[0].split(bytes);
  pair.faults[1].split(bytes);
  peer.methods.echo = (call) => call.params;
  const values = Array.from({ length: 20 }, (_, i) => ({ i, text: 'ä'.repeat(i * 5), bytes: new Uint8Array(i) }));
  expect(await Promise.all(values.map((value) => host.session.call('echo', value)))).toEqual(values);
});

test('corrupted bytes end the session, or pass as the wrong value; they never crash it', async () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const { clock, host, peer, pair } = await connectSessions({ seed });
    peer.methods.echo = (call) => call.params;
    pair.faults[1].corruptNext();
    const call = host.session.call('echo', { a: 'b', c: [1, 2, 3] }, { timeoutMs: 100 }).then(
      () => 'resolved',
      (error) => error.code,
    );
    await clock.advance(100);
    expect(await call).toMatch(/resolved|WORKER_LOST|DEADLINE_EXCEEDED|HANDLER_ERROR/);
    host.session.abort('over');
    await clock.runUntilIdle();
    expect(clock.pendingTimers).toBe(0);
  }
});
