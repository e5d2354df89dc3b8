import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { CloseReason } from '../../src/interfaces/transport.js';
import { fromDuplex } from '../../transports/byte-stream/duplex-connection.js';
import { JoinedStreams } from '../../transports/byte-stream/joined-streams.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function connect(
  readable: PassThrough,
  writable: Writable,
): { received: Buffer[]; ended: Promise<CloseReason>; connection: ReturnType<typeof fromDuplex> } {
  const connection = fromDuplex(new JoinedStreams(readable, writable), { peer: { description: 'the other side' }, closeTimeoutMs: 50 });
  const received: Buffer[] = [];
  const ended = new Promise<CloseReason>((resolve) =>
    connection.start({ onData: (chunk) => received.push(Buffer.from(chunk)), onWritable() {}, onClose: resolve }),
  );
  return { connection, received, ended };
}

describe('two streams joined to one', () => {
  it('reads from one and writes to the other, and ends in order', async () => {
    const [from, to] = [new PassThrough(), new PassThrough()];
    const { connection, received, ended } = connect(from, to);
    const written: Buffer[] = [];
    to.on('data', (chunk: Buffer) => written.push(chunk));
    from.end('from');
    connection.send([Buffer.from('t'), Buffer.alloc(20_000), Buffer.from('o')]);
    expect((await ended).code).toBe('PEER_CLOSED');
    expect(Buffer.concat(received).toString()).toBe('from');
    expect(Buffer.concat(written).length).toBe(20_002);
  });

  it('is lost with either of them', async () => {
    const one = connect(new PassThrough().destroy(), new PassThrough());
    expect((await one.ended).code).toBe('CONNECTION_LOST');
    const to = new PassThrough();
    const from = new PassThrough();
    const other = connect(from, to);
    to.destroy(new Error('EPIPE'));
    expect((await other.ended).message).toContain('EPIPE');
    expect(from.destroyed).toBe(true);
  });

  it('writes as the stream did when it was joined, whatever is put in its place', async () => {
    const to = new PassThrough();
    const { connection, ended } = connect(new PassThrough(), to);
    to.write = () => {
      throw new Error('the new one');
    };
    connection.send([Buffer.from('a')]);
    await turn();
    expect(to.read()?.toString()).toBe('a');
    connection.close({ abort: true });
    await ended;
  });

  it('tells when the way out takes no more', async () => {
    const waiting: (() => void)[] = [];
    const to = new Writable({ highWaterMark: 10, write: (_chunk, _encoding, done) => void waiting.push(done) });
    const { connection, ended } = connect(new PassThrough(), to);
    let sends = 0;
    while (connection.send([Buffer.alloc(10_000)])) {
      sends += 1;
      expect(sends).toBeLessThan(100);
    }
    expect(waiting).toHaveLength(1);
    connection.close();
    expect((await ended).code).toBe('ABORTED');
  });
});
