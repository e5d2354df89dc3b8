import { describe, expect, test } from 'vitest';
import { errorCodes } from '../../src/errors/codes.js';
import { PluginError } from '../../src/errors/plugin-error.js';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { connectSessions, gate, rejection } from './session-pair.js';

describe('a call', () => {
  test('carries params there and the result back, in both directions', async () => {
    const { host, peer } = await connectSessions();
    host.methods.twice = (call) => (call.params as number) * 2;
    peer.methods.greet = (call) => ({ greeting: `Hello, ${(call.params as { name: string }).name}`, bytes: new Uint8Array([1, 2]) });
    expect(await host.session.call('greet', { name: 'Ada' })).toEqual({ greeting: 'Hello, Ada', bytes: new Uint8Array([1, 2]) });
    expect(await peer.session.call('twice', 21)).toBe(42);
  });

  test('carries idempotency key, acting plugin and trace', async () => {
    const { host, peer } = await connectSessions();
    peer.methods.x = () => null;
    await host.session.call('x', {}, { idempotencyKey: 'k1', actingFor: 'mailer', traceparent: '00-aa-bb-01' });
    expect(peer.received[0]).toMatchObject({ idempotencyKey: 'k1', actingFor: 'mailer', traceparent: '00-aa-bb-01', parentId: undefined });
  });

  test('ids of the host are even, those of the peer odd, both increase', async () => {
    const { host, peer } = await connectSessions();
    host.methods.x = peer.methods.x = () => null;
    for (let i = 0; i < 3; i += 1) {
      await host.session.call('x', {});
      await peer.session.call('x', {});
    }
    expect(peer.received.map((call) => call.id)).toEqual([2, 4, 6]);
    expect(host.received.map((call) => call.id)).toEqual([1, 3, 5]);
  });

  test('[session.concurrent-handlers] a slow handler delays neither other calls nor pings', async () => {
    const { host, peer } = await connectSessions();
    const slow = gate();
    peer.methods.slow = () => slow.promise;
    peer.methods.fast = () => 'fast';
    const first = host.session.call('slow', {});
    expect(await host.session.call('fast', {})).toBe('fast');
    expect(await host.session.ping()).toBe(0);
    expect(host.session.callsInFlight).toBe(1);
    slow.open();
    await first;
    expect([host.session.callsInFlight, peer.session.incomingCallsInFlight, peer.session.runningHandlers]).toEqual([0, 0, 0]);
  });

  test('a thousand calls at once all get their own answer', async () => {
    const { host, peer } = await connectSessions({ maxOutgoingCalls: 1_000, maxIncomingCalls: 1_000 });
    peer.methods.echo = (call) => call.params;
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => host.session.call('echo', i)));
    expect(answers).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
  });
});

describe('[session.errors-cross] an error', () => {
  test.each(Object.keys(errorCodes) as (keyof typeof errorCodes)[])('of code %s arrives with all its fields', async (code) => {
    const { host, peer } = await connectSessions();
    peer.methods.fail = () => {
      throw new WorkerRuntimeError(code, `This is ${code}.`, {
        details: { capability: 'network.http', scope: { hosts: ['a.example'] } },
        handlerCode: 'X1',
        mayHaveRun: true,
        retryable: true,
      });
    };
    const error = await rejection(host.session.call('fail', {}));
    expect(error).toBeInstanceOf(WorkerRuntimeError);
    expect(error).toMatchObject({
      code,
      message: `This is ${code}.`,
      details: { capability: 'network.http', scope: { hosts: ['a.example'] } },
      handlerCode: 'X1',
      mayHaveRun: true,
      retryable: true,
    });
  });

  test('of the author keeps its own code; any other thrown value is a HANDLER_ERROR without a stack', async () => {
    const { host, peer } = await connectSessions();
    peer.methods.author = () => {
      throw new PluginError('QUOTA', 'No more today.', { left: 0 }, true);
    };
    peer.methods.bug = () => {
      throw new TypeError('x is not a function');
    };
    peer.methods.text = () => {
      throw 'just text';
    };
    expect(await rejection(host.session.call('author', {}))).toMatchObject({
      code: 'HANDLER_ERROR',
      handlerCode: 'QUOTA',
      retryable: true,
      details: { left: 0 },
    });
    const bug = await rejection(host.session.call('bug', {}));
    expect(bug).toMatchObject({ code: 'HANDLER_ERROR', message: 'TypeError: x is not a function' });
    expect(bug.stack).not.toContain('at the other side');
    expect(await rejection(host.session.call('text', {}))).toMatchObject({ code: 'HANDLER_ERROR', message: 'just text' });
  });

  test('brings its stack in debug mode', async () => {
    const { host, peer } = await connectSessions({ debug: true });
    peer.methods.bug = () => {
      throw new TypeError('oops');
    };
    expect((await rejection(host.session.call('bug', {}))).stack).toContain('calls.test.ts');
  });

  test('that nobody can read is still an answer', async () => {
    const { host, peer } = await connectSessions();
    peer.methods.weird = () => {
      throw Object.defineProperty(new Error('x'), 'message', {
        get() {
          throw new Error('no');
        },
      });
    };
    peer.methods.unsendable = () => {
      throw new WorkerRuntimeError('HANDLER_ERROR', 'half \ud800', { details: { f: () => 1 }, handlerCode: 'E' });
    };
    expect(await rejection(host.session.call('weird', {}))).toMatchObject({ code: 'HANDLER_ERROR' });
    expect(await rejection(host.session.call('unsendable', {}))).toMatchObject({ code: 'HANDLER_ERROR', handlerCode: 'E', message: 'half \ufffd' });
  });
});

describe('[session.frame-too-large] what cannot be sent', () => {
  const limits = { maxFrameBytes: 200_000, maxDepth: 32, maxElements: 100_000, maxMapEntries: 1_024 };

  test('is refused at the caller, with the limit, and the session goes on', async () => {
    const { host, peer } = await connectSessions({ limits });
    peer.methods.echo = (call) => call.params;
    const error = await rejection(host.session.call('echo', 'x'.repeat(250_000)));
    expect(error).toMatchObject({ code: 'FRAME_TOO_LARGE', details: { limit: 200_000 } });
    expect(await rejection(host.session.call('echo', { f() {} }))).toMatchObject({ code: 'INVALID_VALUE' });
    expect(await rejection(host.session.call('9 bad name', {}))).toMatchObject({ code: 'INVALID_VALUE' });
    expect(host.session.callsInFlight).toBe(0);
    expect(await host.session.call('echo', 'fine')).toBe('fine');
    expect(peer.received).toHaveLength(1);
    // A refused call takes no id.
    expect(peer.received[0]?.id).toBe(2);
  });

  test('as a result becomes the error of the call, which has run', async () => {
    const { host, peer } = await connectSessions({ limits });
    peer.methods.big = () => 'x'.repeat(250_000);
    peer.methods.set = () => new Set([1]);
    expect(await rejection(host.session.call('big', {}))).toMatchObject({ code: 'FRAME_TOO_LARGE', mayHaveRun: true, details: { limit: 200_000 } });
    expect(await rejection(host.session.call('set', {}))).toMatchObject({ code: 'INVALID_VALUE', mayHaveRun: true });
    peer.methods.ok = () => 1;
    expect(await host.session.call('ok', {})).toBe(1);
    expect(peer.session.runningHandlers).toBe(0);
  });

  test('as progress or item is the error of whoever sends it', async () => {
    const { host, peer } = await connectSessions({ limits });
    peer.methods.try = (call) => {
      const codes: string[] = [];
      for (const attempt of [
        () => call.progress(0.5, 'half', () => 1),
        () => void call.sendItem('x'.repeat(250_000)),
        () => void call.sendItem(Symbol()),
      ]) {
        try {
          attempt();
          codes.push('none');
        } catch (error) {
          codes.push((error as WorkerRuntimeError).code);
        }
      }
      return codes;
    };
    expect(await host.session.stream('try', {}).result).toEqual(['INVALID_VALUE', 'FRAME_TOO_LARGE', 'INVALID_VALUE']);
  });
});

describe('limits', () => {
  test('the caller refuses more calls in flight than allowed, and nothing was started', async () => {
    const { host, peer } = await connectSessions({ maxOutgoingCalls: 2 });
    const slow = gate();
    peer.methods.slow = () => slow.promise;
    const calls = [host.session.call('slow', {}), host.session.call('slow', {})];
    expect(await rejection(host.session.call('slow', {}))).toMatchObject({ code: 'OVERLOADED', retryable: true, mayHaveRun: false });
    expect(() => host.session.stream('slow', {})).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
    slow.open();
    await Promise.all(calls);
  });

  test('[session.bounded-queues] the callee answers OVERLOADED at once over its limit', async () => {
    const { host, peer } = await connectSessions({ maxIncomingCalls: 2 });
    const slow = gate();
    peer.methods.slow = () => slow.promise;
    const calls = [host.session.call('slow', {}), host.session.call('slow', {})];
    expect(await rejection(host.session.call('slow', {}))).toMatchObject({ code: 'OVERLOADED', retryable: true, mayHaveRun: false });
    expect(peer.received).toHaveLength(2);
    slow.open();
    await Promise.all(calls);
    expect(await rejection(host.session.call('unknown', {}))).toMatchObject({ code: 'METHOD_NOT_FOUND' });
  });

  test('[session.bounded-queues] who calls and cancels in a loop cannot start handlers without end', async () => {
    const { host, peer, clock } = await connectSessions({ maxIncomingCalls: 3 });
    const stuck = gate();
    peer.methods.stuck = () => stuck.promise;
    const codes: string[] = [];
    for (let i = 0; i < 10; i += 1) {
      const controller = new AbortController();
      const call = rejection(host.session.call('stuck', {}, { signal: controller.signal }));
      await clock.settle();
      controller.abort();
      codes.push((await call).code);
      await clock.settle();
    }
    expect(codes).toEqual([...Array(6).fill('CANCELLED'), ...Array(4).fill('OVERLOADED')]);
    expect([peer.received.length, peer.session.incomingCallsInFlight, peer.session.runningHandlers]).toEqual([6, 0, 6]);
    stuck.open();
    await clock.settle();
    expect(peer.session.runningHandlers).toBe(0);
    peer.methods.stuck = () => 'free';
    expect(await host.session.call('stuck', {})).toBe('free');
  });

  test('full replacement of cancelled calls in one turn is not taken for overload', async () => {
    const { host, peer } = await connectSessions({ maxIncomingCalls: 4, maxOutgoingCalls: 4 });
    peer.methods.wait = (call) => new Promise((resolve) => call.onCancel(() => resolve('late')));
    peer.methods.echo = (call) => call.params;
    const controller = new AbortController();
    const first = Array.from({ length: 4 }, () => rejection(host.session.call('wait', {}, { signal: controller.signal })));
    await host.session.ping();
    controller.abort();
    const second = await Promise.all([1, 2, 3, 4].map((n) => host.session.call('echo', n)));
    expect(second).toEqual([1, 2, 3, 4]);
    expect((await Promise.all(first)).map((error) => error.code)).toEqual(Array(4).fill('CANCELLED'));
  });
});

describe('progress', () => {
  test('reaches the caller in order', async () => {
    const { host, peer } = await connectSessions();
    peer.methods.work = (call) => {
      call.progress(0.25, 'reading');
      call.progress(undefined, 'thinking', { step: 2 });
      call.progress(7);
      call.progress(Number.NaN);
      return 'done';
    };
    const seen: unknown[] = [];
    await host.session.call('work', {}, { onProgress: (progress) => seen.push(progress) });
    expect(seen).toEqual([
      { fraction: 0.25, message: 'reading', data: undefined },
      { fraction: undefined, message: 'thinking', data: { step: 2 } },
      { fraction: 1, message: undefined, data: undefined },
      { fraction: undefined, message: undefined, data: undefined },
    ]);
  });

  test('a listener that throws cancels its own call and harms no other', async () => {
    const { host, peer } = await connectSessions();
    const slow = gate();
    peer.methods.work = (call) => {
      call.progress(0.5);
      return slow.promise;
    };
    const other = host.session.call('work', {});
    const cause = new Error('listener');
    const error = await rejection(
      host.session.call(
        'work',
        {},
        {
          onProgress() {
            throw cause;
          },
        },
      ),
    );
    expect(error).toMatchObject({ code: 'CANCELLED', cause });
    slow.open();
    await other;
  });

  test('after the answer is nobody’s business', async () => {
    const { host, peer, clock } = await connectSessions();
    peer.methods.work = (call) => {
      void Promise.resolve().then(() => setImmediate(() => call.progress(0.9)));
      return 1;
    };
    await host.session.call('work', {}, { onProgress: () => expect.unreachable() });
    await clock.settle();
    expect(host.violations).toEqual([]);
  });
});
