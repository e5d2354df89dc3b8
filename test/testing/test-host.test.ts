import { describe, expect, test } from 'vitest';
import type { Host } from '../../src/host/create-host.js';
import { createTestHost, fakePlugin, type TestHostOptions } from '../../src/testing/index.js';
import { summarizer } from './summarizer.js';

/** What an embedder would have written: the code under test. */
async function digest(host: Host): Promise<string> {
  const { summary } = await host.plugin('summarizer').as(summarizer).summarize({ text: 'a long text' });
  return summary.toUpperCase();
}

const calls: string[] = [];
const fake = (overrides: Parameters<typeof fakePlugin<typeof summarizer>>[2] = {}) =>
  fakePlugin(
    summarizer,
    {
      async summarize({ text }) {
        calls.push(text);
        return { summary: text.slice(0, 6) };
      },
      async *narrate({ text }, ctx) {
        for (const word of text.split(' ')) yield word;
        await new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()));
        return { finishReason: 'stop' };
      },
    },
    { id: 'summarizer', ...overrides },
  );

async function start(options: Partial<TestHostOptions> = {}) {
  calls.length = 0;
  return createTestHost({ plugins: [fake()], ...options });
}

describe('[testing.test-host] createTestHost', () => {
  test('runs fake plugins over a real host, without processes and without sleeping', async () => {
    const t = await start();
    expect(t.host.plugin('summarizer')).toMatchObject({ id: 'summarizer', state: 'active' });
    expect(await digest(t.host)).toBe('A LONG');
    expect(t.clock.now()).toBe(0);
    await t.stop();
    expect(t.host.plugin('summarizer').state).toBe('idle');
    await t.stop();
  });

  test('works with await using, where the runtime has it', async () => {
    const t = await start();
    const dispose = t[Symbol.asyncDispose].bind(t);
    expect(await digest(t.host)).toBe('A LONG');
    await dispose();
    expect(t.host.plugin('summarizer').worker).toBeUndefined();
  });

  test('several plugins, several calls at once', async () => {
    const t = await createTestHost({ plugins: [fake(), fake({ id: 'second' })] });
    const all = ['summarizer', 'second'].flatMap((id) =>
      [1, 2, 3].map((n) =>
        t.host
          .plugin(id)
          .as(summarizer)
          .summarize({ text: `${id} ${n}` }),
      ),
    );
    expect((await Promise.all(all)).map(({ summary }) => summary)).toEqual(['summar', 'summar', 'summar', 'second', 'second', 'second']);
    await t.stop();
    await expect(createTestHost({ plugins: [fake(), fake()] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('grants what plugins request, and with a policy only what that says', async () => {
    const requests = [{ capability: 'storage.read', keys: ['a'] }];
    const t = await start({ plugins: [fake({ requests })] });
    expect(t.host.plugin('summarizer').grants).toMatchObject([{ capability: 'storage.read' }]);
    await t.stop();
    await expect(start({ plugins: [fake({ requests })], policy: { rules: [] } })).rejects.toMatchObject({ code: 'APPROVAL_REQUIRED' });
    const waiting = await start({ plugins: [fake({ requests })], policy: { rules: [] }, start: false });
    expect(waiting.host.plugin('summarizer').grants).toEqual([]);
    await waiting.stop();
  });

  test('a plugin that cannot be loaded is an error, and nothing is left', async () => {
    const broken = fake({
      onLoad() {
        throw new Error('no database');
      },
    });
    await expect(start({ plugins: [broken] })).rejects.toMatchObject({ code: 'START_FAILED', message: expect.stringContaining('no database') });
  });
});

describe('[testing.faults] faults', () => {
  test('a crash before the call is sent: it was lost and cannot have run', async () => {
    const t = await start();
    t.faults('summarizer').crash({ at: 'before-send' });
    await expect(digest(t.host)).rejects.toMatchObject({
      code: 'WORKER_LOST',
      mayHaveRun: false,
      reason: { code: 'KILLED_BY_SIGNAL', signal: 'SIGKILL' },
    });
    expect(calls).toEqual([]);
    await t.stop();
  });

  test('a crash before a large call is sent, in the middle of others', async () => {
    const t = await start();
    const api = t.host.plugin('summarizer').as(summarizer);
    t.faults('summarizer').crash({ at: 'before-send' });
    const lost = [api.summarize({ text: 'x'.repeat(100_000) }), api.summarize({ text: 'small' })];
    for (const call of lost) await expect(call).rejects.toMatchObject({ mayHaveRun: false });
    expect(calls).toEqual([]);
    await t.stop();
  });

  test('a crash after the call was sent: its handler began, and it may have run', async () => {
    const t = await start();
    t.faults('summarizer').crash({ at: 'after-send' });
    await expect(digest(t.host)).rejects.toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
    expect(calls).toEqual(['a long text']);
    expect(t.host.plugin('summarizer').state).not.toBe('active');
    await t.clock.advance(30_000);
    await t.stop();
  });

  test('a crash strikes the method that it was meant for, once, and the plugin can be started again', async () => {
    const t = await start();
    const stopped: unknown[] = [];
    t.host.on('plugin.state', ({ to }) => stopped.push(to));
    t.faults('summarizer').crash({ at: 'after-send', method: 'narrate' });
    expect(await digest(t.host)).toBe('A LONG');
    const stream = t.host.plugin('summarizer').as(summarizer).narrate({ text: 'one two' });
    await expect(stream.result).rejects.toMatchObject({ code: 'WORKER_LOST' });
    await t.clock.settle();
    expect(stopped.length).toBeGreaterThan(0);
    await t.clock.runUntil(t.host.plugin('summarizer').start());
    expect(await digest(t.host)).toBe('A LONG');
    expect(t.host.plugin('summarizer').worker?.generation).toBe(2);
    await t.stop();
  });

  test('a crash at once', async () => {
    const t = await start();
    t.faults('summarizer').crash();
    await t.clock.settle();
    await expect(digest(t.host)).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE', mayHaveRun: false });
    await t.stop();
  });

  test('a stall of a method: its calls hang, others go on, and what was held back comes', async () => {
    const t = await start();
    const api = t.host.plugin('summarizer').as(summarizer);
    t.faults('summarizer').stall({ method: 'summarize' });
    const late = api.summarize({ text: 'first' }, { timeoutMs: 5_000 });
    const held = api.summarize({ text: 'second' }, { timeoutMs: 60_000 });
    const expired = expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', mayHaveRun: true });
    await t.clock.advance(30_000);
    await expired;
    expect(t.host.plugin('summarizer').state).toBe('active');
    for await (const word of api.narrate({ text: 'one two' })) if (word === 'two') break;
    await t.faults('summarizer').clear();
    expect(await held).toEqual({ summary: 'second' });
    await t.stop();
  });

  test('a stall of the whole worker: it misses its heartbeats', async () => {
    const t = await start();
    t.faults('summarizer').stall();
    const lost = expect(digest(t.host)).rejects.toMatchObject({ code: 'WORKER_LOST', reason: { code: 'HEARTBEAT_MISSED' } });
    await t.clock.advance(29_000);
    await lost;
    await t.stop();
  });

  test('a drop: the answer never comes, though the handler ran', async () => {
    const t = await start();
    t.faults('summarizer').drop({ method: 'summarize' });
    const call = expect(digest(t.host)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', mayHaveRun: true });
    await t.clock.advance(30_000);
    await call;
    expect(calls).toEqual(['a long text']);
    await t.faults('summarizer').clear();
    expect(await digest(t.host)).toBe('A LONG');
    await t.stop();
  });

  test('a denial takes away what was granted, and clear gives it back', async () => {
    const keeper = fakePlugin(
      summarizer,
      {
        async summarize({ text }, ctx) {
          await ctx.storage.set('last', text);
          return { summary: 'kept' };
        },
        async *narrate() {
          yield 'nothing';
          return { finishReason: 'stop' };
        },
      },
      { id: 'summarizer', requests: [{ capability: 'storage.write', keys: ['last'] }] },
    );
    const t = await start({ plugins: [keeper] });
    await t.faults('summarizer').deny({ capability: 'storage.write' });
    await expect(digest(t.host)).rejects.toMatchObject({
      code: 'CAPABILITY_DENIED',
      details: { capability: 'storage.write', scope: { keys: ['last'] } },
    });
    expect(t.host.audit({ kind: 'decision' })).toMatchObject([{ effect: 'deny', method: 'storage.set' }]);
    await t.faults('summarizer').clear();
    expect(await digest(t.host)).toBe('KEPT');
    await t.stop();
  });

  test('of a plugin that is not there', async () => {
    const t = await start();
    expect(() => t.faults('sumarizer')).toThrow(expect.objectContaining({ code: 'PLUGIN_NOT_FOUND' }));
    expect(() => t.faults('summarizer').crash({ method: 'summarize' })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    await t.stop();
  });
});

describe('[testing.leak-fails] the disposer', () => {
  test('names calls and streams that are open, and handlers that never end', async () => {
    const stuck = fakePlugin(
      summarizer,
      {
        summarize: () => new Promise(() => {}),
        async *narrate() {
          yield 'one';
          await new Promise(() => {});
          return { finishReason: 'stop' };
        },
      },
      { id: 'summarizer' },
    );
    const t = await start({ plugins: [stuck] });
    const api = t.host.plugin('summarizer').as(summarizer);
    const forgotten = api.summarize({ text: 'x' }).catch((error: { code: string }) => error.code);
    api.narrate({ text: 'y' });
    const error = await t.stop().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      code: 'INVALID_STATE',
      details: {
        leaks: [
          'the call "summarize" to "summarizer" is still open: await it, or cancel it',
          'the stream "narrate" to "summarizer" is still open: read it to its end, leave its loop, or cancel it',
          'a handler of "summarize" of "summarizer" still runs: let it end when ctx.signal is aborted',
          'a handler of "narrate" of "summarizer" still runs: let it end when ctx.signal is aborted',
        ],
      },
    });
    expect(await forgotten).toBe('WORKER_LOST');
    await expect(t.stop()).rejects.toBe(error);
  });

  test('names timers that are set', async () => {
    const t = await start();
    const timer = t.clock.setTimer(1_000_000, () => {});
    await expect(t.stop()).rejects.toMatchObject({ details: { leaks: ['1 timers of the clock are still set: cancel them'] } });
    timer.cancel();
  });

  test('names calls of a plugin to its host that are still open', async () => {
    const asking = fakePlugin(
      summarizer,
      {
        async summarize(_params, ctx) {
          void ctx.agents
            .message({ channelId: 'c', externalUserId: 'u', conversationId: 'c', text: 'x', receivedAt: '2026-01-01T00:00:00Z' })
            .catch(() => {});
          return { summary: 'asked' };
        },
        async *narrate() {
          yield 'nothing';
          return { finishReason: 'stop' };
        },
      },
      { id: 'summarizer', requests: [{ capability: 'agents.message', channels: ['c'] }] },
    );
    const t = await start({ plugins: [asking], routeMessage: () => new Promise(() => {}) });
    // The nested call is cancelled with its parent: nothing is left open.
    expect(await digest(t.host)).toBe('ASKED');
    await t.stop();
  });

  test('says nothing when nothing is left', async () => {
    const t = await start();
    const stream = t.host.plugin('summarizer').as(summarizer).narrate({ text: 'one two' });
    for await (const _word of stream) break;
    await digest(t.host);
    await t.stop();
  });
});
