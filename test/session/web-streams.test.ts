import { describe, expect, test } from 'vitest';
import { fromReadableStream, toReadableStream } from '../../src/session/web-streams.js';
import { connectSessions } from './session-pair.js';

describe('[session.web-streams]', () => {
  test('a stream of a call is read as a Web Stream, under credit, and its input may come from one', async () => {
    const { host, peer, clock } = await connectSessions();
    peer.methods.double = async (call) => {
      for await (const item of call.items) await call.sendItem((item as number) * 2);
      return 'done';
    };
    const input = new ReadableStream<number>({
      start(controller) {
        for (const n of [1, 2, 3]) controller.enqueue(n);
        controller.close();
      },
    });
    const stream = host.session.stream('double', {}, { input: fromReadableStream(input) });
    const seen: unknown[] = [];
    const reader = toReadableStream(stream).getReader();
    await clock.settle();
    for (let next = await reader.read(); !next.done; next = await reader.read()) seen.push(next.value);
    expect(seen).toEqual([2, 4, 6]);
    await expect(stream.result).resolves.toBe('done');
  });

  test('a reader that stops holds the writer up, and one that cancels cancels the call', async () => {
    const { host, peer, clock } = await connectSessions();
    let sent = 0;
    peer.methods.flood = async (call) => {
      for (; sent < 100_000; sent += 1) await call.sendItem('x'.repeat(1_000));
    };
    const web = toReadableStream(host.session.stream('flood', {}));
    const reader = web.getReader();
    await reader.read();
    await clock.settle();
    expect(sent).toBeLessThan(1_000);
    await reader.cancel('enough');
    await clock.settle();
    expect(peer.received[0]?.cancelled).toBe(true);
  });

  test('an error of the call is the error of the Web Stream, and leaving the loop cancels its source', async () => {
    const { host, peer } = await connectSessions();
    peer.methods.fail = async (call) => {
      await call.sendItem(1);
      throw Object.assign(new Error('broken'), {});
    };
    const reader = toReadableStream(host.session.stream('fail', {})).getReader();
    expect(await reader.read()).toEqual({ done: false, value: 1 });
    await expect(reader.read()).rejects.toMatchObject({ code: 'HANDLER_ERROR' });

    let cancelled: unknown;
    const source = new ReadableStream<number>({
      pull: (controller) => controller.enqueue(1),
      cancel: (reason) => {
        cancelled = reason;
      },
    });
    for await (const chunk of fromReadableStream(source)) {
      expect(chunk).toBe(1);
      break;
    }
    expect(cancelled).toBe('The reader does not need more.');
  });
});
