import { Duplex, PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import type { CloseReason, Connection } from '../../src/interfaces/transport.js';
import { fromDuplex } from '../../transports/stdio/index.js';
import { socketPair } from './socket-pair.js';

const peer = { description: 'the other side' };

function listen(connection: Connection): { chunks: Uint8Array[]; closed: Promise<CloseReason>; writable: number } {
  const ear = { chunks: [] as Uint8Array[], closed: Promise.resolve() as unknown as Promise<CloseReason>, writable: 0 };
  ear.closed = new Promise((resolve) =>
    connection.start({
      onData: (chunk) => ear.chunks.push(chunk),
      onWritable: () => {
        ear.writable += 1;
      },
      onClose: resolve,
    }),
  );
  return ear;
}

/** A duplex that records its writes and completes them when the test says so. */
class Recording extends Duplex {
  readonly writes: { sizes: number[]; done: (error?: Error | null) => void }[] = [];
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.writes.push({ sizes: [chunk.length], done });
  }
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.writes.push({ sizes: chunks.map(({ chunk }) => chunk.length), done });
  }
}

describe('fromDuplex', () => {
  it('writes many small chunks as one buffer, and large ones uncopied beside them in one vector', () => {
    const stream = new Recording();
    const connection = fromDuplex(stream, { peer });
    connection.send(Array.from({ length: 50 }, () => Buffer.alloc(20)));
    stream.writes[0]!.done();
    connection.send([Buffer.alloc(10), Buffer.alloc(4), Buffer.alloc(100_000), Buffer.alloc(1), Buffer.alloc(0), Buffer.alloc(2)]);
    connection.send([]);
    expect(stream.writes.map(({ sizes }) => sizes)).toEqual([[1_000], [14, 100_000, 3]]);
    connection.close({ abort: true });
  });

  it('tells the pressure by what waits, not by the size of one write', async () => {
    const stream = new Recording({ writableHighWaterMark: 100 });
    const connection = fromDuplex(stream, { peer, highWaterMark: 1_000 });
    const ear = listen(connection);
    expect(connection.send([Buffer.alloc(999)])).toBe(true);
    expect(connection.send([Buffer.alloc(1)])).toBe(false);
    stream.writes[0]!.done();
    expect(ear.writable).toBe(0);
    await vi.waitUntil(() => stream.writes.length === 2);
    stream.writes[1]!.done();
    await vi.waitUntil(() => ear.writable === 1);
    connection.close({ abort: true });
    expect((await ear.closed).code).toBe('ABORTED');
  });

  it('turns an error of the stream into CONNECTION_LOST, before start too', async () => {
    const stream = new Recording();
    const connection = fromDuplex(stream, { peer });
    stream.destroy(new Error('ECONNRESET'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(connection.send([Buffer.alloc(1)])).toBe(false);
    expect(await listen(connection).closed).toEqual({ code: 'CONNECTION_LOST', message: 'The connection to the other side was lost: ECONNRESET' });
  });

  it('delivers what was read before the error', async () => {
    const stream = new Recording();
    const ear = listen(fromDuplex(stream, { peer }));
    stream.push(Buffer.from('last words'));
    await new Promise((resolve) => setImmediate(resolve));
    stream.destroy(new Error('EPIPE'));
    expect((await ear.closed).code).toBe('CONNECTION_LOST');
    expect(Buffer.concat(ear.chunks).toString()).toBe('last words');
  });

  it('ends for a stream that is destroyed already, or emits no close event', async () => {
    const destroyed = new Recording();
    destroyed.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect((await listen(fromDuplex(destroyed, { peer })).closed).code).toBe('CONNECTION_LOST');
    const silent = fromDuplex(new Recording({ emitClose: false }), { peer, closeTimeoutMs: 20 });
    const ear = listen(silent);
    silent.close({ abort: true });
    expect((await ear.closed).code).toBe('ABORTED');
  });

  it('never calls back from within send or close, even over a stream that answers synchronously', async () => {
    let inMethod = false;
    let reentered = false;
    const connection = fromDuplex(new PassThrough(), { peer });
    const received: Uint8Array[] = [];
    connection.start({
      onData(chunk) {
        reentered ||= inMethod;
        received.push(chunk);
      },
      onWritable() {
        reentered ||= inMethod;
      },
      onClose() {
        reentered ||= inMethod;
      },
    });
    await new Promise((resolve) => setImmediate(resolve));
    for (let index = 0; index < 20; index += 1) {
      inMethod = true;
      connection.send([Buffer.from([index])]);
      inMethod = false;
      if (index % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect([...Buffer.concat(received)]).toEqual(Array.from({ length: 20 }, (_, index) => index));
    inMethod = true;
    connection.close({ abort: true });
    inMethod = false;
    await new Promise((resolve) => setImmediate(resolve));
    expect(reentered).toBe(false);
  });

  it('survives a stream that throws while it writes', async () => {
    const stream = new Recording();
    stream._write = () => {
      throw new Error('a bad stream');
    };
    const connection = fromDuplex(stream, { peer });
    const ear = listen(connection);
    expect(connection.send([Buffer.alloc(1)])).toBe(false);
    expect(await ear.closed).toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('a bad stream') });
  });

  it('loses nothing to a stranger that resumes the stream before start', async () => {
    const { left, right, dispose } = await socketPair();
    const connection = fromDuplex(right, { peer });
    left.end(Buffer.alloc(500_000, 1));
    for (let turn = 0; turn < 5; turn += 1) {
      right.resume();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const ear = listen(connection);
    expect((await ear.closed).code).toBe('PEER_CLOSED');
    expect(Buffer.concat(ear.chunks).length).toBe(500_000);
    await dispose();
  });

  it('reports lost bytes when the other side dies in the middle of a flush', async () => {
    const { left, right, dispose } = await socketPair();
    right.pause();
    const connection = fromDuplex(left, { peer });
    const ear = listen(connection);
    connection.send([Buffer.alloc(4_000_000)]);
    connection.close();
    await new Promise((resolve) => setTimeout(resolve, 5));
    right.destroy();
    expect((await ear.closed).code).toBe('CONNECTION_LOST');
    await dispose();
  });

  it('has closed in order if everything was written, however the rest of it breaks', async () => {
    const stream = new Recording();
    const connection = fromDuplex(stream, { peer });
    const ear = listen(connection);
    connection.send([Buffer.alloc(10)]);
    connection.close();
    stream.writes[0]!.done();
    await vi.waitUntil(() => stream.writableFinished);
    stream.destroy(new Error('ECONNRESET'));
    expect((await ear.closed).code).toBe('CLOSED');
  });

  it('has closed in order if the other side took everything and never ends', async () => {
    const stream = new Recording();
    const connection = fromDuplex(stream, { peer, closeTimeoutMs: 20 });
    const ear = listen(connection);
    connection.close({ reason: 'done' });
    expect(await ear.closed).toEqual({ code: 'CLOSED', message: 'done' });
    expect(stream.destroyed).toBe(true);
  });

  it('refuses streams that are not of bytes', () => {
    const refusal = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    expect(() => fromDuplex(new PassThrough({ objectMode: true }), { peer })).toThrow(refusal);
    expect(() => fromDuplex(new PassThrough().setEncoding('utf8'), { peer })).toThrow(refusal);
  });
});
