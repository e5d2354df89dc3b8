import { describe, expect, test } from 'vitest';
import { connectSessions, rejection } from './session-pair.js';

// Frames are encoded straight into the batch, and a getter of a value runs in the midst of that.

describe('[wire.read-once] a getter of a value that is being sent', () => {
  test('may not make a call of the same session: its id would leave before an earlier one', async () => {
    const { host, peer, clock } = await connectSessions();
    peer.methods.echo = (call) => call.params;
    let inner: Promise<unknown> = Promise.resolve();
    const params = {
      get inner() {
        inner = rejection(host.session.call('echo', 1));
        return 'read';
      },
    };
    await expect(host.session.call('echo', params)).resolves.toEqual({ inner: 'read' });
    await expect(inner).resolves.toMatchObject({ code: 'INVALID_STATE', message: expect.stringContaining('getter') });
    await expect(host.session.call('echo', { ok: true })).resolves.toEqual({ ok: true });
    await clock.settle();
    expect(peer.violations).toEqual([]);
  });

  test('may send an item of the same stream; each is sent once, and the credit is never overdrawn twice', async () => {
    const { host, peer, clock } = await connectSessions();
    const text = 'x'.repeat(200_000);
    peer.methods.stream = async (call) => {
      for (let n = 0; n < 6; n += 2) {
        let inner: Promise<void> | undefined;
        const outer = call.sendItem({
          n,
          get text() {
            inner = call.sendItem({ n: n + 1, text }) ?? undefined;
            return text;
          },
        });
        await outer;
        await inner;
      }
      return 'sent';
    };
    const stream = host.session.stream('stream', {});
    const items: number[] = [];
    for await (const item of stream) items.push((item as { n: number }).n);
    expect(await stream.result).toBe('sent');
    expect(items.sort()).toEqual([0, 1, 2, 3, 4, 5]);
    await clock.settle();
    expect(host.violations).toEqual([]);
    expect(host.ends).toEqual([]);
  });

  test('may send a one-way message only if none is being sent', async () => {
    const { host, peer, clock } = await connectSessions();
    const seen: unknown[] = [];
    peer.onOneWay = (_method, params) => void seen.push(params);
    let inner: boolean | undefined;
    const params = {
      get inner() {
        inner = host.session.notify('b', 'inner');
        return inner;
      },
    };
    expect(host.session.notify('a', params)).toBe(true);
    expect(inner).toBe(false);
    await clock.settle();
    expect(seen).toEqual([{ inner: false }]);
  });

  test('may end the session: the call is told that it was never sent', async () => {
    const { host, peer, clock } = await connectSessions();
    peer.methods.echo = (call) => call.params;
    const params = {
      get inner() {
        host.connection.abort('in the midst of it');
        return 1;
      },
    };
    expect(await rejection(host.session.call('echo', params))).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: false });
    await clock.settle();
    expect(peer.received).toEqual([]);
  });

  test('that throws, or a value that is refused, leaves nothing behind', async () => {
    const { host, peer, clock } = await connectSessions();
    peer.methods.echo = (call) => call.params;
    for (let round = 0; round < 5; round += 1) {
      const call = host.session.call('echo', { round });
      expect(await rejection(host.session.call('echo', { text: 'x'.repeat(1_000), bad: new Set() }))).toMatchObject({ code: 'INVALID_VALUE' });
      await expect(call).resolves.toEqual({ round });
    }
    await clock.advance(200);
    expect(peer.received).toHaveLength(5);
    expect(host.session.unackedMessages).toBe(0);
  });
});
